import type { RawColumn, RawFloats, RawFloatSeq, RawTable, RawTokens, RawTokenSeq } from './cells.js';
import type { Rows } from './filter.js';
import { grown, type Interner } from './interner.js';
import { aliasGroups, type RawDataset } from './load.js';
import type { DataOptions } from './options.js';
import { rowsOf, type Selection } from './rows.js';
import type { FieldSource } from './schema.js';

/** A column of remaining rows: tokens are numbered for good, 0 is [PAD]; numbers are as read, NaN where missing. */
export type RemappedColumn =
  Omit<RawTokens, 'tokens' | 'hasMissing'> | Omit<RawTokenSeq, 'tokens'> | RawFloats | RawFloatSeq;

export interface RemappedTable {
  readonly rows: number;
  readonly columns: ReadonlyMap<string, RemappedColumn>;
}

/** The remaining rows of each table, users and items by id with a row 0 for [PAD], and the tokens of each field by id. */
export interface Remapped {
  readonly inter: RemappedTable;
  readonly user: RemappedTable | null;
  readonly item: RemappedTable | null;
  readonly vocabularies: ReadonlyMap<string, readonly string[]>;
}

/**
 * Numbers the tokens of every field from 1, in the order in which they come in the remaining rows: the .inter file
 * first, then .user or .item; fields that share ids one after the other. Drops what no remaining row holds. Takes `raw`
 * over: columns that lose no row are numbered in their own memory.
 */
export function remap(raw: RawDataset, rows: Rows, options: DataOptions): Remapped {
  const columns = { inter: new Map(), user: new Map(), item: new Map() } as Record<FieldSource, Columns>;
  const vocabularies = new Map<string, readonly string[]>();
  for (const group of tokenGroups(raw, options)) {
    const numbering = new Numbering();
    for (const field of group) {
      for (const source of sources) {
        const column = raw[source]?.columns.get(field);
        const kept = rows[source];
        if (column && kept && 'tokens' in column) columns[source].set(field, numbering.apply(column, kept));
      }
    }
    const tokens = numbering.tokens();
    for (const field of group) vocabularies.set(field, tokens);
  }
  const { USER_ID_FIELD: user, ITEM_ID_FIELD: item } = options;
  return {
    inter: { rows: rows.inter.count, columns: inFileOrder(raw.inter, columns.inter, rows.inter) },
    user: rows.user && raw.user && byId(inFileOrder(raw.user, columns.user, rows.user), user, vocabularies),
    item: rows.item && raw.item && byId(inFileOrder(raw.item, columns.item, rows.item), item, vocabularies),
    vocabularies,
  };
}

const sources: readonly FieldSource[] = ['inter', 'user', 'item'];

type Columns = Map<string, RemappedColumn>;

/** Fields that share ids, and every other token field by itself. */
function tokenGroups(raw: RawDataset, options: DataOptions): readonly (readonly string[])[] {
  const groups = aliasGroups(options);
  const grouped = new Set(groups.flat());
  const rest = raw.fields.filter(({ name, type }) => type.startsWith('token') && !grouped.has(name));
  return [...groups, ...rest.map(({ name }) => [name])];
}

/** Gives out final ids in the order in which provisional ones are seen. */
class Numbering {
  #interner: Interner | null = null;
  #final = new Uint32Array(0);
  /** Provisional id of each final one. */
  #seen = new Uint32Array(1 << 8);
  #count = 0;

  apply(column: RawTokens | RawTokenSeq, rows: Selection): RemappedColumn {
    this.#interner = column.tokens;
    this.#final = grown(this.#final, column.tokens.size + 1);
    const kept = gather(column, rows) as RawTokens | RawTokenSeq;
    this.#renumber(kept.ids);
    return kept;
  }

  /** Puts final ids in the place of provisional ones. */
  #renumber(ids: Uint32Array): void {
    for (let i = 0; (i = this.#putKnown(ids, i)) < ids.length;) this.#add(ids[i]);
  }

  /** Does so from `i` on up to the first that is new, which it returns: a loop without calls is compiled at once. */
  #putKnown(ids: Uint32Array, i: number): number {
    const final = this.#final;
    for (; i < ids.length; i++) {
      const id = ids[i];
      if (id !== 0 && final[id] === 0) break;
      ids[i] = final[id];
    }
    return i;
  }

  tokens(): readonly string[] {
    return ['[PAD]', ...(this.#interner?.texts(this.#seen.subarray(0, this.#count)) ?? [])];
  }

  #add(provisional: number): void {
    this.#seen = grown(this.#seen, this.#count + 1);
    this.#seen[this.#count++] = provisional;
    this.#final[provisional] = this.#count;
  }
}

/** All columns of `table` in its order: those numbered already, and the numbers of the remaining rows. */
function inFileOrder(table: RawTable, numbered: Columns, rows: Selection): Columns {
  const columns: Columns = new Map();
  for (const [name, column] of table.columns) {
    columns.set(name, 'tokens' in column ? (numbered.get(name) ?? column) : gather(column, rows));
  }
  return columns;
}

/** The columns but the id column, row = id; ids without a row have missing values, as [PAD] has. */
function byId(
  columns: Columns,
  idField: string,
  vocabularies: ReadonlyMap<string, readonly string[]>,
): RemappedTable {
  const ids = (columns.get(idField) as RawTokens).ids; // loading refuses id columns of another type
  const rowOf = new Uint32Array(vocabularies.get(idField)?.length ?? 1).fill(NO_ROW);
  // Row 0 stays without a row even where an id is missing, which only files split before can have.
  ids.forEach((id, row) => {
    if (id !== 0) rowOf[id] = row;
  });
  const ordered: Columns = new Map();
  for (const [name, column] of columns)
    if (name !== idField) ordered.set(name, gather(column, rowsOf(rowOf)));
  return { rows: rowOf.length, columns: ordered };
}

const NO_ROW = 0xffffffff;

/** The cells of `rows`, in their order; the cell of NO_ROW is missing. */
function gather(column: RemappedColumn | RawColumn, { list: rows }: Selection): RemappedColumn {
  if (rows === null) return column;
  switch (column.type) {
    case 'token':
      return { type: 'token', ids: gatherIds(column.ids, rows) };
    case 'float':
      return { type: 'float', values: gatherFloats(column.values, rows) };
    case 'token_seq': {
      const { offsets, total } = gatherOffsets(column.offsets, rows);
      return { type: 'token_seq', ids: copyRows(column, column.ids, rows, new Uint32Array(total)), offsets };
    }
    case 'float_seq': {
      const { offsets, total } = gatherOffsets(column.offsets, rows);
      return {
        type: 'float_seq',
        values: copyRows(column, column.values, rows, new Float64Array(total)),
        offsets,
      };
    }
  }
}

function gatherIds(ids: Uint32Array, rows: Uint32Array): Uint32Array {
  const kept = new Uint32Array(rows.length);
  for (let i = 0; i < rows.length; i++) kept[i] = rows[i] === NO_ROW ? 0 : ids[rows[i]];
  return kept;
}

function gatherFloats(values: Float64Array, rows: Uint32Array): Float64Array {
  const kept = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) kept[i] = rows[i] === NO_ROW ? NaN : values[rows[i]];
  return kept;
}

function gatherOffsets(offsets: Uint32Array, rows: Uint32Array): { offsets: Uint32Array; total: number } {
  const kept = new Uint32Array(rows.length + 1);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    kept[i + 1] = kept[i] + (row === NO_ROW ? 0 : offsets[row + 1] - offsets[row]);
  }
  return { offsets: kept, total: kept[rows.length] };
}

function copyRows<T extends Uint32Array | Float64Array>(
  { offsets }: { readonly offsets: Uint32Array },
  items: T,
  rows: Uint32Array,
  target: T,
): T {
  let at = 0;
  for (const row of rows) {
    if (row === NO_ROW) continue;
    for (let i = offsets[row]; i < offsets[row + 1]; i++) target[at++] = items[i];
  }
  return target;
}
