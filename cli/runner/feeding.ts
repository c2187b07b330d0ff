import type { Store } from '../../engine/index.js';
import { uploadChunk, type DeviceFeed, type Features } from '../../models/index.js';
import { openFeeder, type FeedRequest } from './feeder.js';
import type { Feed } from '../../models/index.js';

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
