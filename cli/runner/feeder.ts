import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Device } from '../../engine/index.js';
import { Feed, type Chunk, type ChunkMemory, type FeedSpec, type Features } from '../../models/index.js';

/** What a thread needs to know; the features' memory is shared, not copied. */
export interface FeedSetup {
  readonly features: Features;
  readonly spec: FeedSpec;
}

/** Row numbers to lay out as batches of `batch` rows. */
export interface FeedRequest {
  readonly rows: Uint32Array;
  readonly batch: number;
}

/** Lays out chunks of steps ahead of their use. */
export interface Feeder {
  /** Chunks worth asking for in advance; a chunk stands until as many more were asked for. */
  readonly depth: number;
  chunk(request: FeedRequest): Promise<Chunk>;
  destroy(): void;
}

/** Rows of an epoch from which on threads are worth their start of some 0.1 s. */
const threadedRows = 50_000;
/** Laying out a step takes about as long as encoding it, so a second thread is spare already. */
const maxThreads = 2;

/**
 * Threads for epochs of this many rows: those that the machine can spare beside this one and the driver's. A device
 * that computes on all cores itself leaves none to spare, and is so slow that this thread keeps up with it.
 */
export function feedThreads(kind: Device['kind'], trainRows: number, cores = availableParallelism()): number {
  if (kind !== 'gpu' || trainRows < threadedRows) return 0;
  return Math.max(0, Math.min(maxThreads, cores - 2));
}

/** Lays chunks out with `feed` on this thread, each in memory of its own or all in the same. */
function inlineFeeder(feed: Feed, memory?: ChunkMemory): Feeder {
  const chunk = async ({ rows, batch }: FeedRequest) => feed.chunk(rows, batch, undefined, memory);
  return { depth: 1, chunk, destroy() {} };
}

interface Pending {
  readonly request: FeedRequest;
  readonly resolve: (chunk: Chunk | Promise<Chunk>) => void;
}

/** One thread; once it fails, its work is done on this one. */
class FeedThread {
  private readonly pending: Pending[] = [];
  private failed = false;

  constructor(
    private readonly worker: Worker,
    private readonly fallback: Feeder,
  ) {
    worker.on('message', (chunk: Chunk) => this.pending.shift()?.resolve(chunk));
    worker.on('error', () => this.fail());
    worker.on('exit', () => this.fail());
  }

  chunk({ rows, batch }: FeedRequest): Promise<Chunk> {
    // A part of an array would be sent with all of the memory that it is part of.
    const request = { rows: rows.slice(), batch };
    if (this.failed) return this.fallback.chunk(request);
    return new Promise((resolve) => {
      this.pending.push({ request, resolve });
      this.worker.postMessage(request);
    });
  }

  private fail(): void {
    this.failed = true;
    for (const { request, resolve } of this.pending.splice(0)) resolve(this.fallback.chunk(request));
  }

  destroy(): void {
    this.pending.length = 0;
    void this.worker.terminate();
  }
}

/**
 * Lays out chunks with `feed`, on `threads` threads of their own or, without any, on this one. The same
 * chunks either way: a chunk depends on nothing but its request.
 */
export function openFeeder(feed: Feed, features: Features, threads: number): Feeder {
  const inline = inlineFeeder(feed);
  const setup: FeedSetup = { features, spec: feed.spec };
  const all: FeedThread[] = [];
  try {
    for (let i = 0; i < threads; i++) {
      const worker = new Worker(new URL('./feed_worker.js', import.meta.url), { workerData: setup });
      all.push(new FeedThread(worker, inline));
    }
  } catch {
    // A system that gives no thread: those that there are do, or this one.
  }
  if (all.length === 0) return inlineFeeder(feed, feed.memory());
  let next = 0;
  return {
    depth: all.length + 1,
    chunk: (request) => all[next++ % all.length].chunk(request),
    destroy: () => all.forEach((thread) => thread.destroy()),
  };
}
