/** The thread behind feeder.ts: lays out one chunk per message, in order. */
import { parentPort, workerData } from 'node:worker_threads';
import { hostKernels } from '../../engine/adapter.js';
import { Feed } from '../../models/index.js';
import type { FeedRequest, FeedSetup } from './feeder.js';

const { features, spec } = workerData as FeedSetup;
const feed = new Feed(features, spec, hostKernels());

parentPort?.on('message', ({ rows, batch }: FeedRequest) => {
  const chunk = feed.chunk(rows, batch);
  const arrays = [chunk.rows, ...chunk.segments.values()];
  parentPort?.postMessage(
    chunk,
    arrays.map(({ buffer }) => buffer as ArrayBuffer),
  );
});
