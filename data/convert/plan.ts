import { posix } from 'node:path';
import { DataError } from '../errors.js';
import type { FieldSource } from '../schema.js';
import type { Archive, Member } from './archive.js';
import { atomicRows } from './atomic_rows.js';
import type { KnownSet } from './known.js';
import type { Input, OutputColumn, Rows } from './row.js';

/** One file to be written, and from what. */
export interface PlannedTable {
  readonly source: FieldSource;
  readonly member: Member;
  readonly read: (
    input: Input,
  ) => Promise<{ readonly columns: readonly OutputColumn[]; readonly rows: Rows }>;
}

/** How a data set comes out of what the user has. */
export interface Plan {
  /** What kind of files these are, for people. */
  readonly form: string;
  readonly tables: readonly PlannedTable[];
}

const sources: readonly FieldSource[] = ['inter', 'user', 'item'];
const baseName = ({ name }: Member) => posix.basename(name);

/**
 * Finds the files of a set in an archive: atomic files if there are any, else the publisher's own. `set` is null for
 * sets that are not known, of which every atomic file is taken whole. Throws DataError if files are missing.
 */
export function planOf(name: string, set: KnownSet | null, archive: Archive): Plan {
  const atomic = atomicPlan(name, set, archive);
  if (atomic !== null) return atomic;
  if (set === null) {
    throw new DataError(
      `no atomic files of RecBole in it, only ${contents(archive)}; for a log give --user, --item and --rating`,
      archive.path,
    );
  }
  return originalPlan(set, archive);
}

function atomicPlan(name: string, set: KnownSet | null, archive: Archive): Plan | null {
  const interactions = archive.members.filter((member) => /\.inter(\.gz)?$/.test(baseName(member)));
  if (interactions.length === 0) return null;
  const own = interactions.filter((member) => baseName(member).startsWith(`${name}.`));
  const [inter, other] = own.length > 0 ? own : interactions;
  if (other !== undefined) {
    throw new DataError(
      `has ${interactions.length} files of interactions, ${inter.name} and ${other.name}; give the folder of one`,
      archive.path,
    );
  }
  const stem = inter.name.replace(/inter(\.gz)?$/, '');
  const find = (source: FieldSource) =>
    archive.members.find((member) => member.name === stem + source || member.name === `${stem}${source}.gz`);
  const tables = sources.flatMap((source) => {
    const columns = set === null ? null : set.columns[source];
    const member = find(source);
    if (columns === undefined || (member === undefined && columns === null)) return [];
    if (member === undefined) throw lacking(`${posix.basename(stem)}${source}`, archive);
    const renamed = set?.renamed ?? {};
    return [{ source, member, read: (input: Input) => atomicTable(input, columns, renamed) }];
  });
  return { form: "RecBole's atomic files", tables };
}

async function atomicTable(
  input: Input,
  columns: readonly OutputColumn[] | null,
  renamed: Readonly<Record<string, string>>,
): ReturnType<PlannedTable['read']> {
  return atomicRows(input, { columns, renamed });
}

function originalPlan(set: KnownSet, archive: Archive): Plan {
  const tables = sources.flatMap((source) => {
    const original = set.original[source];
    const columns = set.columns[source];
    if (original === undefined || columns === undefined) return [];
    const found = archive.members.filter((member) =>
      original.pattern.test(baseName(member).replace(/\.gz$/, '')),
    );
    // A copy deeper down is rather somebody's backup.
    const [member] = found.sort((a, b) => a.name.length - b.name.length);
    if (member === undefined) throw lacking(`${original.name} (or .gz)`, archive);
    return [{ source, member, read: async (input: Input) => ({ columns, rows: original.rows(input) }) }];
  });
  return { form: "the publisher's files", tables };
}

function lacking(name: string, archive: Archive): DataError {
  const zips = archive.members.filter((member) => /\.(zip|tar)$/i.test(member.name));
  const remedy =
    zips.length > 0
      ? `give ${zips[0].name} itself if it is in there`
      : 'give the folder or archive that holds it';
  return new DataError(`no ${name} in it, only ${contents(archive)}; ${remedy}`, archive.path);
}

const MOST_NAMES = 8;

function contents({ members }: Archive): string {
  if (members.length === 0) return 'nothing';
  const names = members.slice(0, MOST_NAMES).map(({ name }) => name);
  return names.join(', ') + (members.length > MOST_NAMES ? ` and ${members.length - MOST_NAMES} more` : '');
}
