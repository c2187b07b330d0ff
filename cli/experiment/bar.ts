import { printLine } from '../logger.js';
import { durationText, type ProgressMode } from '../progress.js';

/** Shows how many cells are done. */
export interface CellBar {
  update(done: number, running: number): void;
  /** Prints a line above the bar. */
  print(line: string): void;
  end(): void;
}

const silent: CellBar = { update() {}, print: (line) => printLine(line, 'INFO'), end() {} };

/** A bar on a terminal; elsewhere only the lines that are printed. `already` cells cost this process nothing. */
export async function openCellBar(mode: ProgressMode, total: number, already: number): Promise<CellBar> {
  if (mode === 'none') return { ...silent, print() {} };
  if (mode === 'lines') return silent;
  const { SingleBar } = (await import('cli-progress')).default;
  const started = performance.now();
  const bar = new SingleBar({
    format: '{value}/{total} cells |{bar}| {facts}',
    stream: process.stderr,
    barsize: 24,
    clearOnComplete: true,
    gracefulExit: false,
    linewrap: true,
  });
  let [now, facts] = [already, ''];
  bar.start(total, already, { facts });
  return {
    update(done, running) {
      const seconds = (performance.now() - started) / 1000;
      const left =
        done > already ? `, ${durationText((seconds / (done - already)) * (total - done))} left` : '';
      [now, facts] = [done, `${running} running${left}`];
      bar.update(done, { facts });
    },
    print(line) {
      bar.stop();
      printLine(line, 'INFO');
      bar.start(total, now, { facts });
    },
    end: () => bar.stop(),
  };
}
