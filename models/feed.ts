import type { HostKernels, RowIds } from '../engine/index.js';
import type { Batch } from './batch.js';
import type { Features } from './features.js';
import { openGrouping, type Grouping, type SegmentSpec } from './grouping.js';

export type { SegmentSpec } from './grouping.js';

/** How a chunk of steps is laid out. */
export interface FeedSpec {
  /** Rows of the longest batch. */
  readonly capacity: number;
  readonly chunkSteps: number;
  /** Empty for plans without a backward pass. */
  readonly segments: readonly SegmentSpec[];
}

/** Inputs of the steps of one chunk, ready to be written into the store. */
export interface Chunk {
  readonly steps: number;
  /** Rows of words, step s from s · capacity on; zero behind a short batch. */
  readonly rows: Uint32Array;
  /** By name, step s from s · layout.stride on. */
  readonly segments: ReadonlyMap<string, Uint32Array>;
}

/** Steps of a chunk of so many rows. Throws RangeError if they do not fit. */
export function stepsOf(rows: number, batch: number, { capacity, chunkSteps }: FeedSpec): number {
  const steps = Math.ceil(rows / batch);
  if (batch <= capacity && steps <= chunkSteps) return steps;
  throw new RangeError(`feed: ${steps} steps of ${batch} rows do not fit ${chunkSteps} steps of ${capacity}`);
}

/** The id sets of a batch that are grouped for the backward pass; `byAge` as in SegmentRule. */
export function segmentSpecs({ tokens, sequences, floats }: Batch, byAge = false): SegmentSpec[] {
  const all = [tokens, ...sequences, floats?.rows].filter((ids): ids is RowIds => ids !== undefined);
  return all.map(({ name, layout, rule }) => ({ name, layout, rule: { ...rule, byAge } }));
}

/** Room for one chunk, laid out in it again and again: fresh pages cost as much as what is written to them. */
export type ChunkMemory = Omit<Chunk, 'steps'>;

/** Lays out chunks of steps from row numbers: gathers the rows, joins the ids and groups them. Pure host work. */
export class Feed {
  private readonly group: Grouping;

  /** With `host` its kernels join and group the ids: the same, sooner. */
  constructor(
    private readonly features: Features,
    readonly spec: FeedSpec,
    host?: HostKernels,
  ) {
    this.group = openGrouping(features, spec.capacity, spec.segments, host);
  }

  /** Room for `steps` steps, by default for the longest chunk. */
  memory(steps = this.spec.chunkSteps): ChunkMemory {
    const { capacity, segments } = this.spec;
    return {
      rows: new Uint32Array(steps * capacity * this.features.layout.width),
      segments: new Map(segments.map(({ name, layout }) => [name, new Uint32Array(steps * layout.stride)])),
    };
  }

  /**
   * The chunk of the batches of `order` (row numbers of `source`, by default the data set's interactions), each of
   * `batch` rows but for a shorter last one; in `memory` where that is given, until it is given again. Throws
   * RangeError if it does not fit.
   */
  chunk(order: Uint32Array, batch: number, source = this.features.rows, memory?: ChunkMemory): Chunk {
    const steps = stepsOf(order.length, batch, this.spec);
    const { rows, segments } = partOf(
      memory ?? this.memory(steps),
      steps,
      this.spec,
      this.features.layout.width,
    );
    for (let step = 0; step < steps; step++) {
      const numbers = order.subarray(step * batch, Math.min((step + 1) * batch, order.length));
      this.layOut(step, numbers, source, rows, segments);
    }
    return { steps, rows, segments };
  }

  /** One step of a chunk. */
  private layOut(
    step: number,
    numbers: Uint32Array,
    source: Uint32Array,
    rows: Uint32Array,
    segments: Chunk['segments'],
  ): void {
    const words = this.spec.capacity * this.features.layout.width;
    const own = rows.subarray(step * words, (step + 1) * words);
    gather(numbers, own, source, this.features.layout.width);
    this.group(own, numbers.length, ({ name, layout }) =>
      (segments.get(name) as Uint32Array).subarray(step * layout.stride),
    );
  }
}

/** The part of a chunk's memory that `steps` steps fill. */
function partOf({ rows, segments }: ChunkMemory, steps: number, spec: FeedSpec, width: number): ChunkMemory {
  return {
    rows: rows.subarray(0, steps * spec.capacity * width),
    segments: new Map(
      spec.segments.map(({ name, layout }) => [
        name,
        (segments.get(name) as Uint32Array).subarray(0, steps * layout.stride),
      ]),
    ),
  };
}

/** Rows whose first words are asked for before any is copied: memory gives many at once in the time of a few. */
const gatherBlock = 64;

/** into[i,:] = source[numbers[i],:], zero behind the last. */
function gather(numbers: Uint32Array, into: Uint32Array, source: Uint32Array, width: number): void {
  let to = 0;
  let touched = 0;
  for (let first = 0; first < numbers.length; first += gatherBlock) {
    const last = Math.min(first + gatherBlock, numbers.length);
    for (let i = first; i < last; i++) {
      const from = Math.imul(numbers[i], width);
      touched |= source[from] | source[from + width - 1];
    }
    // What was touched is written, or nothing would be read; then the row itself.
    into[to] = touched;
    for (let i = first; i < last; i++) {
      // Products and counters that V8 knows to be int32 cost a third of what doubles would.
      let from = Math.imul(numbers[i], width);
      for (const end = to + width; to < end; to++, from++) into[to] = source[from];
    }
  }
  into.fill(0, to);
}
