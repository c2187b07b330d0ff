import {
  sourceBits,
  namesMuchOf,
  segmentHeaderWords,
  type Command,
  type CommandSpec,
  type DeviceBuffer,
  type Store,
} from '../engine/index.js';
import { stepsOf, type FeedSpec, type SegmentSpec } from './feed.js';
import { joinedIds, type Features, type JoinPart, type JoinedIds } from './features.js';
import { checkIds } from './id_bounds.js';
import { joinedInput, rowUnit } from './layout.js';

/** Bytes of interactions that a device holds beside its model at most; more are laid out by the host. */
const mostResidentBytes = 1 << 30;
/**
 * Steps are grouped side by side in lanes, each with a counter for every row of the table: some for each thread, so that
 * who is late leaves its to others, but one where counters would fill a core's cache.
 */
const lanesPerThread = 4;
const cachedCounterBytes = 1 << 18;

/** Whether a device that computes on the host's own cores should hold the interactions and lay chunks out itself. */
export const feedsItself = ({ device }: Store, { rows }: Features): boolean =>
  device.kind === 'cpu' && rows.byteLength <= mostResidentBytes;

/**
 * Lays out chunks of steps as Feed does, on the device itself and from interactions that it holds: the host uploads row
 * numbers, nothing else. Beside the rows and the groups of ids it writes the joined ids of a chunk, if a plan reads them.
 */
export class DeviceFeed {
  private constructor(
    private readonly store: Store,
    private readonly scope: string,
    private readonly spec: FeedSpec,
    private readonly commands: readonly Command[],
  ) {}

  /**
   * Fills the inputs of the plans of `scope`, which are compiled. Throws RangeError for an id outside its table: the
   * kernels trust what they are given.
   */
  static async open(store: Store, scope: string, features: Features, spec: FeedSpec): Promise<DeviceFeed> {
    if (!store.has('interactions')) {
      checkIds(features);
      store.ensure('input', 'interactions', [features.rows.length], 'u32');
      store.write('interactions', features.rows);
    }
    const numbers = [spec.chunkSteps * spec.capacity];
    store.ensure('input', `${scope}/feed.chunk`, [4], 'u32');
    store.ensure('input', `${scope}/feed.numbers`, numbers, 'u32');
    const specs = commandsOf(store, scope, features, spec);
    return new DeviceFeed(store, scope, spec, await store.device.commands(specs));
  }

  /** Lays out the batches of `order` as Feed.chunk does; returns the steps. Throws RangeError if they do not fit. */
  lay(order: Uint32Array, batch: number): number {
    const steps = stepsOf(order.length, batch, this.spec);
    this.store.write(`${this.scope}/feed.chunk`, Uint32Array.of(order.length, batch));
    this.store.write(`${this.scope}/feed.numbers`, order);
    this.store.device.run(this.commands, 1);
    return steps;
  }

  destroy(): void {
    this.store.device.releaseCommands(this.commands);
  }
}

function commandsOf(store: Store, scope: string, features: Features, spec: FeedSpec): CommandSpec[] {
  const { capacity, chunkSteps, segments } = spec;
  const { width } = features.layout;
  const of = (name: string) => store.get(`${scope}/${name}`).buffer;
  const rows: CommandSpec = {
    label: 'feed.rows',
    shader: 'feed',
    entry: 'feed_rows',
    buffers: {
      chunk: of('feed.chunk'),
      numbers: of('feed.numbers'),
      source4: store.get('interactions').buffer,
      fed4: of('rows'),
    },
    dims: { width: width / rowUnit, capacity, steps: chunkSteps },
    over: [chunkSteps * capacity],
  };
  const all = joinedIds(features);
  const grouped = segments.flatMap((segment) => {
    const joined = all.find(({ name }) => name === segment.name);
    if (joined === undefined) throw new Error(`feed: no ids are called ${segment.name}`);
    // Who trains a part of a model's parameters reads groups of some ids only.
    const isRead = store.has(`${scope}/segments.${segment.name}`);
    const groups = isRead ? [groupsOf(store, scope, spec, segment, joined)] : [];
    return [...joinsOf(store, scope, spec, width, joined), ...groups];
  });
  return [rows, ...grouped];
}

/** Features of users or items, written where no plan has them yet. */
function residentOf(store: Store, table: string, words: Uint32Array, width: number): DeviceBuffer {
  const { entry, fresh } = store.ensure('input', table, [words.length / width, width], 'u32');
  if (fresh) store.write(table, words);
  return entry.buffer;
}

/** Joins ids for all rows of a chunk, those of its padding included. */
function joinsOf(
  store: Store,
  scope: string,
  { capacity, chunkSteps }: FeedSpec,
  rowWidth: number,
  { name, width, parts }: JoinedIds,
): CommandSpec[] {
  const rows = chunkSteps * capacity;
  const target = `${scope}/${joinedInput(name)}`;
  const joined = store.ensure('input', target, [rows, width], 'u32').entry.buffer;
  // The state of no step: its cursor, 0, means the first row.
  const state = store.ensure('input', 'feed.state', [64], 'u32').entry.buffer;
  return parts.map(({ key, stride, from, to, columns, table, words }: JoinPart): CommandSpec => {
    const source = table && { source: residentOf(store, table, words as Uint32Array, stride) };
    return {
      label: `feed.${name}`,
      shader: 'batch_join',
      entry: source ? 'batch_join_keyed' : 'batch_join_rows',
      buffers: { rows: store.get(`${scope}/rows`).buffer, joined, state, ...source },
      dims: {
        batch: rows,
        row_width: rowWidth,
        ...(source && { key, source_width: stride }),
        source_column: from,
        joined_width: width,
        joined_column: to,
        columns,
      },
      over: [rows],
    };
  });
}

/** Buckets by which the rows of a large table are ordered, at most 1024, and the bits of a row that they leave out. */
function bucketsOf(rows: number): readonly [buckets: number, shift: number] {
  const shift = Math.max(0, 32 - Math.clz32(rows - 1) - 10);
  return [((rows - 1) >>> shift) + 1, shift];
}

function groupsOf(
  store: Store,
  scope: string,
  { capacity, chunkSteps }: FeedSpec,
  { name, layout, rule }: SegmentSpec,
  { width }: JoinedIds,
): CommandSpec {
  const perThread = 4 * rule.rows <= cachedCounterBytes ? lanesPerThread : 1;
  const lanes = Math.min(chunkSteps, perThread * store.device.limits.threads);
  const [buckets, shift] = namesMuchOf(rule.rows, layout) ? [0, 0] : bucketsOf(rule.rows);
  const lane = rule.rows + (buckets > 0 ? buckets + layout.maxRows : 0);
  const count = store.ensure('input', `feed.count.${name}`, [lanes * lane], 'u32').entry.buffer;
  const piecesAt = segmentHeaderWords + 4 * layout.maxRows;
  return {
    label: `feed.${name}`,
    shader: 'segment_plan',
    entry: 'segment_plan_steps',
    buffers: {
      ids: store.get(`${scope}/${joinedInput(name)}`).buffer,
      count,
      plan: store.get(`${scope}/segments.${name}`).buffer,
      chunk: store.get(`${scope}/feed.chunk`).buffer,
    },
    dims: {
      table_rows: rule.rows,
      per: rule.per,
      source_bits: sourceBits(rule.per),
      skip_padding: Number(rule.skipPadding),
      pieces_at: piecesAt,
      sources_at: piecesAt + 2 * layout.maxPieces,
      width,
      capacity,
      stride: layout.stride,
      lane,
      buckets,
      shift,
    },
    over: [lanes],
  };
}
