/**
 * Loaded into the process of a cell before its command: once the experiment is gone, also by kill -9, the cell
 * saves and stops as after SIGTERM, so that the next start may go on with it.
 */
import { isMainThread } from 'node:worker_threads';

if (isMainThread && process.channel) {
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  // Waiting for that is no reason to stay.
  process.channel.unref();
}
