import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readAtomic, separatorByte, type HeaderField } from './atomic.js';
import { cellsOf, type Cells, type RawTable } from './cells.js';
import { DataError } from './errors.js';
import { Interner } from './interner.js';
import type { DataOptions } from './options.js';
import type { FieldSource, FieldType } from './schema.js';

const sources: readonly FieldSource[] = ['inter', 'user', 'item'];

/** A loaded column: its name, type and file. */
export interface Field extends HeaderField {
  readonly source: FieldSource;
}

/** The loaded columns of all files, as they were read. */
export interface RawDataset {
  readonly inter: RawTable;
  readonly user: RawTable | null;
  readonly item: RawTable | null;
  /** Every field once, .inter first, then .user, then .item; ids belong to .inter. */
  readonly fields: readonly Field[];
  /** Rows of each file of benchmark_filename; null without it. */
  readonly benchmark: readonly number[] | null;
}

/** The files that make up a data set: several .inter files if it was split before; null where there is none to load. */
export interface AtomicFiles {
  readonly inter: readonly string[];
  readonly user: string | null;
  readonly item: string | null;
}

/** Where the data set's files are; throws DataError if one that is asked for is missing. */
export function atomicFiles(options: DataOptions): AtomicFiles {
  const { data_path, dataset, benchmark_filename, load_col } = options;
  const folder = join(data_path, dataset);
  const names = benchmark_filename?.map((part) => `${dataset}.${part}.inter`) ?? [`${dataset}.inter`];
  const missing = names.find((name) => !existsSync(join(folder, name)));
  if (missing !== undefined) {
    throw new DataError(
      `data set ${dataset}: no ${missing} in ${folder}; put atomic files of RecBole there, set data_path, ` +
        `or make an invented set with node cli/data.js synth`,
    );
  }
  const optional = (source: 'user' | 'item'): string | null => {
    if (load_col !== null && !hasColumns(load_col[source])) return null;
    const file = join(folder, `${dataset}.${source}`);
    if (existsSync(file)) return file;
    if (load_col === null || load_col[source] === '*') return null;
    throw new DataError(
      `load_col: names columns of .${source}, but there is no ${file}; add it or leave ${source} out`,
    );
  };
  return { inter: names.map((name) => join(folder, name)), user: optional('user'), item: optional('item') };
}

/** Reads the data set's files; throws DataError if they do not fit together or the options. */
export async function loadAtomic(options: DataOptions): Promise<RawDataset> {
  checkFileKinds(options);
  const files = atomicFiles(options);
  const tokens = vocabularyOf(options);
  const read = (source: FieldSource, names: readonly (string | null)[]) =>
    readTable(
      names.filter((name) => name !== null),
      source,
      options,
      tokens,
    );
  const inter = await read('inter', files.inter);
  const user = await read('user', [files.user]);
  const item = await read('item', [files.item]);
  const raw = {
    inter: inter.table,
    // A table none of whose columns is loaded is as good as none.
    user: user.table.columns.size > 0 ? user.table : null,
    item: item.table.columns.size > 0 ? item.table : null,
    benchmark: options.benchmark_filename && inter.fileRows,
  };
  return { ...raw, fields: fieldsOf(raw, options) };
}

/** The rows of all files, one after the other; the files must have the same columns, in any order. */
async function readTable(
  files: readonly string[],
  source: FieldSource,
  options: DataOptions,
  tokens: (field: string) => Interner,
): Promise<{ table: RawTable; fileRows: number[] }> {
  const columns = new Map<string, ColumnCells>();
  const separator = separatorByte(options.field_separator, 'field_separator');
  const seqSeparator = separatorByte(options.seq_separator, 'seq_separator');
  const cellsFor = ({ name, type }: HeaderField): ColumnCells => {
    const seqLen = options.seq_len?.[name] ?? Infinity;
    return { type, cells: cellsOf(type, { tokens: tokens(name), seqSeparator, seqLen }) };
  };
  const fileRows: number[] = [];
  for (const file of files) {
    const select = (header: readonly HeaderField[]) => {
      const loaded = selectColumns(header, source, options, file);
      if (file === files[0]) for (const field of loaded) columns.set(field.name, cellsFor(field));
      else checkSameColumns(columns, loaded, file, files[0]);
      return header.map((field) => (loaded.includes(field) && columns.get(field.name)?.cells) || null);
    };
    fileRows.push(await readAtomic(file, { separator, select }));
  }
  const rows = fileRows.reduce((sum, count) => sum + count, 0);
  const taken = [...columns].map(([name, { cells }]) => [name, cells.take()] as const);
  return { table: { rows, columns: new Map(taken) }, fileRows };
}

interface ColumnCells {
  readonly type: FieldType;
  readonly cells: Cells;
}

function checkSameColumns(
  columns: ReadonlyMap<string, ColumnCells>,
  loaded: readonly HeaderField[],
  file: string,
  first: string,
): void {
  const have = loaded.map(({ name, type }) => `${name}:${type}`).sort();
  const want = [...columns].map(([name, { type }]) => `${name}:${type}`).sort();
  if (have.join() === want.join()) return;
  throw new DataError(
    `has columns ${have.join(', ')}, but ${first} has ${want.join(', ')}; make them the same`,
    file,
    1,
  );
}

function hasColumns(columns: readonly string[] | '*' | undefined): boolean {
  return columns !== undefined && columns.length > 0;
}

function checkFileKinds({ load_col, unload_col, unused_col, benchmark_filename }: DataOptions): void {
  for (const [name, option] of Object.entries({ load_col, unload_col, unused_col })) {
    const unknown = Object.keys(option ?? {}).find((source) => !sources.includes(source as FieldSource));
    if (unknown !== undefined)
      throw new DataError(`${name}: no file kind ${unknown}; have ${sources.join(', ')}`);
  }
  if (load_col !== null && !hasColumns(load_col.inter)) {
    throw new DataError("load_col: no columns of inter; give at least {'inter': ['user_id', 'item_id']}");
  }
  const both = sources.find(
    (source) => hasColumns(load_col?.[source]) && load_col?.[source] !== '*' && unload_col?.[source],
  );
  if (both !== undefined) {
    throw new DataError(`load_col and unload_col: both name columns of ${both}; give one of them`);
  }
  if (benchmark_filename !== null && benchmark_filename.length !== 3) {
    throw new DataError(
      `benchmark_filename: has ${benchmark_filename.length} names; give three, of train, valid and test`,
    );
  }
}

/** Fields that are one another's alias share ids; every other field has its own. */
function vocabularyOf(options: DataOptions): (field: string) => Interner {
  const vocabularies = new Map<string, Interner>();
  for (const group of aliasGroups(options)) {
    const shared = new Interner();
    for (const field of group) vocabularies.set(field, shared);
  }
  return (field) => {
    const known = vocabularies.get(field) ?? new Interner();
    vocabularies.set(field, known);
    return known;
  };
}

/** Groups of fields that share one set of ids, in the order in which their tokens are numbered. */
export function aliasGroups(options: DataOptions): readonly (readonly string[])[] {
  const groups = [
    [options.USER_ID_FIELD, ...(options.alias_of_user_id ?? [])],
    [options.ITEM_ID_FIELD, ...(options.alias_of_item_id ?? [])],
    options.alias_of_entity_id ?? [],
    options.alias_of_relation_id ?? [],
  ].map((group) => [...new Set(group)]);
  const all = groups.flat();
  const twice = all.find((field, i) => all.indexOf(field) < i);
  if (twice !== undefined) {
    throw new DataError(`alias_of_*: ${twice} stands in two of them; a field has one set of ids`);
  }
  return groups.filter((group) => group.length > 0);
}

/** The columns of a header that are to be loaded, by load_col and unload_col. */
function selectColumns(
  header: readonly HeaderField[],
  source: FieldSource,
  { load_col, unload_col }: DataOptions,
  file: string,
): readonly HeaderField[] {
  const have = header.map(({ name }) => name);
  const wanted = load_col?.[source] ?? '*';
  const missing = wanted === '*' ? undefined : wanted.find((name) => !have.includes(name));
  if (missing !== undefined) {
    throw new DataError(`load_col: no column ${missing}; have ${have.join(', ')}`, file, 1);
  }
  const unwanted = unload_col?.[source] ?? [];
  return header.filter(({ name }) => (wanted === '*' || wanted.includes(name)) && !unwanted.includes(name));
}

function fieldsOf({ inter, user, item }: Omit<RawDataset, 'fields'>, options: DataOptions): Field[] {
  const fields: Field[] = [];
  const ids = { inter: '', user: options.USER_ID_FIELD, item: options.ITEM_ID_FIELD };
  for (const [source, table] of Object.entries({ inter, user, item }) as [FieldSource, RawTable | null][]) {
    if (table !== null && source !== 'inter') checkIdColumn(table, ids[source], `.${source}`);
    for (const [name, { type }] of table?.columns ?? []) {
      if (name === ids[source]) continue;
      const other = fields.find((field) => field.name === name);
      if (other !== undefined) {
        throw new DataError(
          `${name}: a column of .${other.source} and of .${source}; leave one out with unload_col`,
        );
      }
      fields.push({ name, type, source });
    }
  }
  for (const id of [options.USER_ID_FIELD, options.ITEM_ID_FIELD]) checkIdColumn(inter, id, '.inter');
  for (const alias of aliasGroups(options).flat()) checkAlias(fields, alias);
  return fields;
}

function checkIdColumn(table: RawTable, id: string, file: string): void {
  const type = table.columns.get(id)?.type;
  if (type === 'token') return;
  if (type !== undefined) throw new DataError(`${file}: ${id} has type ${type}; ids must be of type token`);
  const have = [...table.columns.keys()].join(', ');
  throw new DataError(
    `${file}: no column ${id} is loaded, only ${have}; check load_col and the *_ID_FIELD options`,
  );
}

function checkAlias(fields: readonly Field[], alias: string): void {
  const type: FieldType | undefined = fields.find(({ name }) => name === alias)?.type;
  if (type === undefined) throw new DataError(`alias_of_*: no field ${alias} is loaded; check load_col`);
  if (type === 'float' || type === 'float_seq') {
    throw new DataError(`alias_of_*: ${alias} has type ${type}; only token and token_seq have ids`);
  }
}
