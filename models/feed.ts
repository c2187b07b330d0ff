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
  /** Rows of words, step s from s · capacity on. */
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

  /**
   * The chunk of the batches of `order` (row numbers of `source`, by default the data set's interactions), each of
   * `batch` rows but for a shorter last one. Throws RangeError if it does not fit.
   */
  chunk(order: Uint32Array, batch: number, source = this.features.rows): Chunk {
    const { capacity, chunkSteps } = this.spec;
    const steps = Math.ceil(order.length / batch);
    if (batch > capacity || steps > chunkSteps) {
      throw new RangeError(
        `feed: ${steps} steps of ${batch} rows do not fit ${chunkSteps} steps of ${capacity}`,
      );
    }
    const { width } = this.features.layout;
    const rows = new Uint32Array(steps * capacity * width);
    const segments = new Map(
      this.groupers.map(({ name, layout }) => [name, new Uint32Array(steps * layout.stride)]),
    );
    for (let step = 0; step < steps; step++) {
      const numbers = order.subarray(step * batch, Math.min((step + 1) * batch, order.length));
      const own = rows.subarray(step * capacity * width, (step + 1) * capacity * width);
      this.gather(numbers, own, source);
      for (const { name, layout, joined, planner, ids } of this.groupers) {
        joined.join(own, numbers.length, ids);
        const used = ids.subarray(0, joined.width * numbers.length);
        planner.plan(used, layout, (segments.get(name) as Uint32Array).subarray(step * layout.stride));
      }
    }
    return { steps, rows, segments };
  }

  private gather(numbers: Uint32Array, into: Uint32Array, source: Uint32Array): void {
    const { width } = this.features.layout;
    for (let i = 0; i < numbers.length; i++) {
      const from = numbers[i] * width;
      for (let j = 0; j < width; j++) into[i * width + j] = source[from + j];
    }
  }
}
