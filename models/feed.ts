import { SegmentPlanner, type RowIds, type SegmentLayout, type SegmentRule } from '../engine/index.js';
import type { Batch } from './batch.js';
import { joinedIds, type Features, type JoinedIds } from './features.js';

/** Sizes of what a step reads groups of ids from; plain data, so that a worker thread can be told. */
export interface SegmentSpec {
  readonly name: string;
  readonly layout: SegmentLayout;
  readonly rule: SegmentRule;
}

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

/** The id sets of a batch that are grouped for the backward pass; `byAge` as in SegmentRule. */
export function segmentSpecs({ tokens, sequences, floats }: Batch, byAge = false): SegmentSpec[] {
  const all = [tokens, ...sequences, floats?.rows].filter((ids): ids is RowIds => ids !== undefined);
  return all.map(({ name, layout, rule }) => ({ name, layout, rule: { ...rule, byAge } }));
}

interface Grouper extends SegmentSpec {
  readonly joined: JoinedIds;
  readonly planner: SegmentPlanner;
  readonly ids: Uint32Array;
}

/** Room for one chunk, laid out in it again and again: fresh pages cost as much as what is written to them. */
export type ChunkMemory = Omit<Chunk, 'steps'>;

/** Lays out chunks of steps from row numbers: gathers the rows, joins the ids and groups them. Pure host work. */
export class Feed {
  private readonly groupers: readonly Grouper[];

  constructor(
    private readonly features: Features,
    readonly spec: FeedSpec,
  ) {
    const joined = joinedIds(features);
    this.groupers = spec.segments.map((segment) => {
      const of = joined.find(({ name }) => name === segment.name);
      if (of === undefined) throw new Error(`feed: no ids are called ${segment.name}`);
      const planner = new SegmentPlanner(segment.rule);
      return { ...segment, joined: of, planner, ids: new Uint32Array(of.width * spec.capacity) };
    });
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
    const { capacity, chunkSteps } = this.spec;
    const steps = Math.ceil(order.length / batch);
    if (batch > capacity || steps > chunkSteps) {
      throw new RangeError(
        `feed: ${steps} steps of ${batch} rows do not fit ${chunkSteps} steps of ${capacity}`,
      );
    }
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
    for (const { name, layout, joined, planner, ids } of this.groupers) {
      joined.join(own, numbers.length, ids);
      const used = ids.subarray(0, joined.width * numbers.length);
      planner.plan(used, layout, (segments.get(name) as Uint32Array).subarray(step * layout.stride));
    }
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

/** into[i,:] = source[numbers[i],:], zero behind the last. */
function gather(numbers: Uint32Array, into: Uint32Array, source: Uint32Array, width: number): void {
  let to = 0;
  for (let i = 0; i < numbers.length; i++) {
    // Products and counters that V8 knows to be int32 cost a third of what doubles would.
    let from = Math.imul(numbers[i], width);
    for (const end = to + width; to < end; to++, from++) into[to] = source[from];
  }
  into.fill(0, to);
}
