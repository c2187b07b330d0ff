import { durationText } from '../progress.js';

/** A plain line on stderr every so often: what is being done, how much of it is, and how long the rest will take. */
export function meter(everyMs = 5000): (what: string, share: number) => void {
  let [current, startedMs, firstShare, printedMs] = ['', 0, 0, 0];
  return (what, share) => {
    const nowMs = performance.now();
    if (what !== current) [current, startedMs, firstShare, printedMs] = [what, nowMs, share, nowMs];
    if (nowMs - printedMs < everyMs) return;
    printedMs = nowMs;
    const perMs = (share - firstShare) / (nowMs - startedMs);
    const left = perMs > 0 ? `, ${durationText((1 - share) / perMs / 1000)} left` : '';
    process.stderr.write(`${what}: ${Math.floor(100 * Math.min(share, 1))} %${left}\n`);
  };
}
