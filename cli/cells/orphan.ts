import { isMainThread } from 'node:worker_threads';

/**
 * Loaded into a child before its script: a child whose parent is gone, also by kill -9, stops in an orderly way, so
 * that nobody else trains in its folder.
 */
if (isMainThread) {
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  // Listening must not keep a child alive that is done.
  process.channel?.unref();
}
