import type { Store } from '../../engine/index.js';
import { DeviceFeed, Feed, uploadChunk, type FeedSpec, type Features } from '../../models/index.js';
import { scoredSteps } from './cuts.js';
import { openFeeder, type FeedRequest } from './feeder.js';

/** Brings batches to the device. */
export interface Feeding {
  /** Chunks worth preparing in advance; what is prepared stands until as many more were asked for. */
  readonly depth: number;
  /** Prepares a chunk; what it resolves to hands it over, after everything submitted before. */
  prepare(request: FeedRequest): Promise<() => void>;
  destroy(): void;
}

/** Chunks that `feed` lays out, on `threads` threads of their own or on this one, and the host uploads. */
export function hostFeeding(
  store: Store,
  scope: string,
  feed: Feed,
  features: Features,
  threads: number,
): Feeding {
  const feeder = openFeeder(feed, features, threads);
  return {
    depth: feeder.depth,
    async prepare(request) {
      const chunk = await feeder.chunk(request);
      return () => uploadChunk(store, scope, chunk);
    },
    destroy: () => feeder.destroy(),
  };
}

/** Chunks that the device lays out itself. */
export function deviceFeeding(feed: DeviceFeed): Feeding {
  return {
    depth: 1,
    async prepare({ rows, batch }) {
      return () => void feed.lay(rows, batch);
    },
    destroy: () => feed.destroy(),
  };
}

/** Lays out rows to score. */
export interface EvaluationFeed {
  /** Steps of a chunk worth laying out at once, where so many rows are to be scored. */
  chunkSteps(rows: number, source?: Uint32Array): number;
  /** Hands over the rows that `order` names, of the data set or of `source`; returns the steps. */
  lay(order: Uint32Array, source?: Uint32Array): number;
  destroy(): void;
}

/** Full batches for the plans of 'eval': laid out by the device if `byDevice`, unless the rows are not the data set's. */
export async function evaluationFeed(
  store: Store,
  features: Features,
  spec: FeedSpec,
  byDevice: boolean,
): Promise<EvaluationFeed> {
  const own = byDevice ? await DeviceFeed.open(store, 'eval', features, spec) : undefined;
  const feed = new Feed(features, spec);
  let memory: ReturnType<Feed['memory']> | undefined;
  return {
    chunkSteps(rows, source) {
      // Nothing need wait for a device that lays chunks out itself.
      if (own !== undefined && source === undefined) return spec.chunkSteps;
      return scoredSteps(rows / spec.capacity, spec.chunkSteps);
    },
    lay(order, source) {
      if (own !== undefined && source === undefined) return own.lay(order, spec.capacity);
      memory ??= feed.memory();
      const chunk = feed.chunk(order, spec.capacity, source, memory);
      uploadChunk(store, 'eval', chunk);
      return chunk.steps;
    },
    destroy: () => own?.destroy(),
  };
}
