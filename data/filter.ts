import type { RawColumn, RawTable, RawTokens } from './cells.js';
import { DataError } from './errors.js';
import { Interner } from './interner.js';
import { parseIntervals, type Intervals } from './intervals.js';
import type { RawDataset } from './load.js';
import type { DataOptions, Interval } from './options.js';
import type { FieldSource } from './schema.js';
import { allowedRows, allRows, countIds, everyRow, listed, rowsOf, type Selection } from './rows.js';
import { sortedRows } from './sort.js';

/** Which rows of each table remain, in their order; null where there is no table. */
export interface Rows {
  readonly inter: Selection;
  readonly user: Selection | null;
  readonly item: Selection | null;
}

/** Takes one line about what was done to the data, for the log. */
export type Note = (message: string) => void;

/** All rows, but of several rows of one user or item in its own file only the first. */
export function loadedRows(raw: RawDataset, options: DataOptions): Rows {
  return {
    inter: everyRow(raw.inter.rows),
    user: raw.user && firstOfEach(raw.user, options.USER_ID_FIELD),
    item: raw.item && firstOfEach(raw.item, options.ITEM_ID_FIELD),
  };
}

/**
 * The rows that RecBole's filters leave, in its order: missing ids, duplicates, values, interactions without a row of
 * their user or item, and the k-core. Throws DataError if a table ends up empty or an option does not fit the data.
 */
export function filterRows(raw: RawDataset, options: DataOptions, note: Note): Rows {
  let rows = loadedRows(raw, options);
  rows = withoutMissingIds(raw, rows, options, note);
  rows = { ...rows, inter: withoutDuplicates(raw.inter, rows.inter, options, note) };
  rows = byValue(raw, rows, options);
  if (options.filter_inter_by_user_or_item) rows = { ...rows, inter: withFeatures(raw, rows, options) };
  rows = core(raw, rows, options);
  for (const [source, left] of Object.entries(rows) as [FieldSource, Selection | null][]) {
    if (left?.count === 0) {
      throw new DataError(
        `data set ${options.dataset}: the filters leave no row of .${source}; ` +
          `check val_interval, user_inter_num_interval and item_inter_num_interval`,
      );
    }
  }
  return rows;
}

function idsOf(table: RawTable, field: string): RawTokens {
  const column = table.columns.get(field);
  if (column?.type !== 'token') throw new DataError(`${field}: no token field of that name is loaded`);
  return column;
}

function firstOfEach(table: RawTable, field: string): Selection {
  const { ids, tokens } = idsOf(table, field);
  const seen = new Uint8Array(tokens.size + 1);
  const first = allRows(table.rows).filter((row) => ids[row] === 0 || !seen[ids[row]]++);
  return first.length === table.rows ? everyRow(table.rows) : rowsOf(first);
}

function withoutMissingIds(raw: RawDataset, rows: Rows, options: DataOptions, note: Note): Rows {
  const keep = (source: FieldSource, field: string, from: Selection | null): Selection | null => {
    const table = raw[source];
    if (from === null || table === null) return null;
    const { ids, hasMissing, tokens } = idsOf(table, field);
    if (!hasMissing) return from;
    const left = allowedRows(from, ids, new Uint8Array(tokens.size + 1).fill(1, 1));
    const dropped = from.count - left.count;
    if (dropped > 0) note(`.${source}: ${dropped} rows without ${field} are dropped`);
    return left;
  };
  const { USER_ID_FIELD: user, ITEM_ID_FIELD: item } = options;
  const inter = keep('inter', item, keep('inter', user, rows.inter)) ?? rows.inter;
  return { inter, user: keep('user', user, rows.user), item: keep('item', item, rows.item) };
}

/** Keeps one interaction of each pair, the first or last in time; the rows end up ordered by time, as in RecBole. */
function withoutDuplicates(table: RawTable, rows: Selection, options: DataOptions, note: Note): Selection {
  const { rm_dup_inter: which, TIME_FIELD: time } = options;
  if (which === null) return rows;
  const times = table.columns.get(time);
  if (times !== undefined && times.type !== 'float') {
    throw new DataError(`${time}: has type ${times.type}, rm_dup_inter needs times of type float`);
  }
  if (times === undefined)
    note(`rm_dup_inter: ${time} is not loaded, so "${which}" goes by the order of the file`);
  const ordered = times === undefined ? listed(rows) : sortedRows(listed(rows), times.values);
  const users = idsOf(table, options.USER_ID_FIELD);
  const items = idsOf(table, options.ITEM_ID_FIELD);
  const pairs = new PairSet(ordered.length, items.tokens.size + 1);
  const isNew = new Uint8Array(ordered.length);
  for (let i = 0; i < ordered.length; i++) {
    const at = which === 'first' ? i : ordered.length - 1 - i;
    isNew[at] = Number(pairs.add(users.ids[ordered[at]], items.ids[ordered[at]]));
  }
  return rowsOf(ordered.filter((_, i) => isNew[i] === 1));
}

/** A set of pairs of ids; a JavaScript Set ends at 2^24 entries. */
class PairSet {
  readonly #slots: Float64Array;

  constructor(
    capacity: number,
    private readonly seconds: number,
  ) {
    this.#slots = new Float64Array(2 ** Math.ceil(Math.log2(capacity * 2 + 2)));
  }

  /** Whether the pair was new. Ids begin at 1, so that no pair is 0. */
  add(first: number, second: number): boolean {
    const slots = this.#slots;
    const mask = slots.length - 1;
    const pair = first * this.seconds + second;
    let slot = (Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b)) & mask;
    while (slots[slot] !== 0 && slots[slot] !== pair) slot = (slot + 1) & mask;
    const isNew = slots[slot] === 0;
    slots[slot] = pair;
    return isNew;
  }
}

function byValue(raw: RawDataset, rows: Rows, options: DataOptions): Rows {
  const left = { ...rows };
  for (const [name, wanted] of Object.entries(options.val_interval ?? {})) {
    const sources = (['inter', 'user', 'item'] as const).filter((source) => raw[source]?.columns.has(name));
    if (sources.length === 0) throw new DataError(`val_interval: no field ${name} is loaded; check load_col`);
    for (const source of sources) {
      const column = raw[source]?.columns.get(name);
      const from = left[source];
      if (column !== undefined && from !== null) left[source] = withValues(from, column, name, wanted);
    }
  }
  return left;
}

function withValues(
  rows: Selection,
  column: RawColumn,
  name: string,
  wanted: Interval | readonly string[],
): Selection {
  const where = `val_interval: ${name}`;
  if (column.type === 'float') {
    const { values } = column;
    const { within } = parseIntervals(wanted as Interval, where);
    return rowsOf(listed(rows).filter((row) => within(values[row])));
  }
  if (column.type !== 'token') {
    throw new DataError(
      `${where} has type ${column.type}; only float and token fields have values to filter by`,
    );
  }
  if (typeof wanted === 'string') {
    throw new DataError(`${where} is a token field, "${wanted}" an interval; give a list of tokens`);
  }
  const encoder = new TextEncoder();
  const ids = wanted.map((token) => {
    const bytes = encoder.encode(String(token));
    return column.tokens.intern(bytes, 0, bytes.length);
  });
  const allowed = new Uint8Array(column.tokens.size + 1);
  for (const id of ids) allowed[id] = 1;
  return allowedRows(rows, column.ids, allowed);
}

/** Interactions whose user and item have a row in .user and .item, where those are loaded. */
function withFeatures(raw: RawDataset, rows: Rows, options: DataOptions): Selection {
  let left = rows.inter;
  const ids = { user: options.USER_ID_FIELD, item: options.ITEM_ID_FIELD };
  for (const source of ['user', 'item'] as const) {
    const table = raw[source];
    const featured = rows[source];
    if (table === null || featured === null) continue;
    const own = idsOf(table, ids[source]);
    const { ids: interIds } = idsOf(raw.inter, ids[source]);
    const has = new Uint8Array(own.tokens.size + 1);
    for (const row of listed(featured)) has[own.ids[row]] = 1;
    // Rows without an id are gone by now.
    if (!has.includes(0, Interner.missing + 1)) continue;
    left = allowedRows(left, interIds, has);
  }
  return left;
}

/** One side of the k-core: users or items. */
interface Side {
  readonly ids: Uint32Array;
  readonly counts: Uint32Array;
  /** 1 until the id has to go. */
  readonly allowed: Uint8Array;
  readonly interval: Intervals;
  /** Ids of the rows of .user or .item. */
  readonly features: Uint32Array | null;
  rows: Selection | null;
}

/** Users and items with too few or too many interactions go, both in each round, until none is left to go. */
function core(raw: RawDataset, rows: Rows, options: DataOptions): Rows {
  const user = coreSide(raw, rows, 'user', options.USER_ID_FIELD, options.user_inter_num_interval);
  const item = coreSide(raw, rows, 'item', options.ITEM_ID_FIELD, options.item_inter_num_interval);
  const sides = [user, item].filter((side) => side !== null);
  let inter = rows.inter;
  while (sides.map((side) => ban(side)).includes(true)) {
    for (const { ids, allowed } of sides) inter = allowedRows(inter, ids, allowed);
    for (const side of sides) {
      if (side.rows && side.features) side.rows = allowedRows(side.rows, side.features, side.allowed);
      countIds(inter, side.ids, side.counts);
    }
  }
  return { inter, user: user ? user.rows : rows.user, item: item ? item.rows : rows.item };
}

function coreSide(
  raw: RawDataset,
  rows: Rows,
  source: 'user' | 'item',
  field: string,
  option: Interval | null,
): Side | null {
  if (option === null) return null;
  const interval = parseIntervals(option, `${source}_inter_num_interval`);
  const { ids, tokens } = idsOf(raw.inter, field);
  const table = raw[source];
  const features = table && idsOf(table, field).ids;
  const counts = new Uint32Array(tokens.size + 1);
  const allowed = new Uint8Array(tokens.size + 1).fill(1);
  countIds(rows.inter, ids, counts);
  return { ids, counts, allowed, interval, features, rows: rows[source] };
}

/** Marks who has to go by the counts as they are; whether there is anybody. */
function ban({ counts, allowed, interval, features, rows }: Side): boolean {
  let found = false;
  for (let id = 1; id < counts.length; id++) {
    if (counts[id] === 0 || interval.within(counts[id])) continue;
    allowed[id] = 0;
    found = true;
  }
  for (const row of rows ? listed(rows) : []) {
    const id = features?.[row] ?? 0;
    if (allowed[id] === 0 || counts[id] >= interval.least) continue;
    allowed[id] = 0;
    found = true;
  }
  return found;
}
