import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { loadTrainConfig } from '../config.js';
import { models } from '../../models/index.js';
import { takeLock } from '../cells/lock.js';
import { runTraining, type Ending } from '../cells/run.js';
import { outputPath, stateOf } from '../cells/state.js';
import { ConfigError } from '../errors.js';
import { atomicWrite } from '../files.js';
import { prepareDataset, requireDataset } from '../open.js';
import { durationText, progressMode, type ProgressMode } from '../progress.js';
import { catchStop } from '../train/interruption.js';
import { openCellBar, type CellBar } from './bar.js';
import { cellArguments, cellName, type Cell, type Plan } from './cell.js';
import { emit } from './emit.js';
import { cellFolder, experimentFolder, keepPlan } from './folder.js';
import { inTurn } from './pool.js';
import type { Manage } from './request.js';
import { summaryOf, type Summary } from './summary.js';
import { summaryText } from './text.js';

/** Does with the plan what `manage` says: runs it, or one cell, writes it for a scheduler, or gathers it. */
export async function manageExperiment(plan: Plan, manage: Manage): Promise<void> {
  const folder = experimentFolder(manage.checkpoint_dir, plan.name);
  if (manage.collect) return collect(folder, plan);
  if (manage.cell !== null) return runOne(folder, plan, manage.cell, manage);
  await checkCells(plan, manage.emit === null);
  await keepPlan(folder, plan, manage.extend);
  if (manage.emit !== null) return void console.log(await emit(folder, plan, manage.emit, manage));
  await runAll(folder, plan, manage);
}

/** Every setting has options that `train` takes, and data; said before anything runs. */
async function checkCells({ cells }: Plan, needsData: boolean): Promise<void> {
  const seen = new Set<string>();
  for (const cell of cells) {
    const key = cellName({ ...cell, seed: 0 });
    if (seen.has(key)) continue;
    seen.add(key);
    const request = await loadTrainConfig(cellArguments(cell), models, async (dataset, path) => {
      if (!needsData) return;
      const made = await prepareDataset(dataset, path);
      if (made !== null) console.log(made);
    });
    if (needsData && request.kind === 'run') requireDataset(request.config);
  }
}

async function collect(folder: string, plan: Plan): Promise<void> {
  if (!existsSync(folder))
    throw new ConfigError(`${folder}: no such experiment; check --name and --checkpoint_dir`);
  const summary = await summarize(folder, plan);
  console.log(summaryText(summary));
  console.log(`\nsummary: ${join(folder, 'summary.json')}`);
}

/** Writes summary.json and summary.txt from what is finished. */
async function summarize(folder: string, plan: Plan): Promise<Summary> {
  const states = await Promise.all(plan.cells.map((cell) => stateOf(cellFolder(folder, cell))));
  const summary = summaryOf(plan, states);
  await atomicWrite(join(folder, 'summary.json'), `${JSON.stringify(summary, null, 1)}\n`);
  await atomicWrite(join(folder, 'summary.txt'), `${summaryText(summary)}\n`);
  return summary;
}

async function runOne(folder: string, plan: Plan, which: string, { threads }: Manage): Promise<void> {
  const cell = plan.cells.find((one, i) => which === cellName(one) || which === String(i));
  if (cell === undefined) {
    throw new ConfigError(
      `--cell=${which}: not in ${plan.name}; give 0 … ${plan.cells.length - 1}, or a name`,
    );
  }
  const stop = catchStop();
  try {
    const ending = await trainCell(folder, cell, threads, stop.signal);
    if (ending.kind === 'stopped') process.exitCode = stop.exitCode();
    if (ending.kind === 'failed') process.exitCode = 1;
    console.log(endingLine(folder, cell, ending, null));
  } finally {
    stop.destroy();
  }
}

/** Trains a cell to its end, from where it stands; `threads` null leaves their number to the command. */
function trainCell(folder: string, cell: Cell, threads: number | null, signal: AbortSignal): Promise<Ending> {
  const share = threads === null ? [] : [`--threads=${threads}`];
  return runTraining({ folder: cellFolder(folder, cell), argv: [...cellArguments(cell), ...share], signal });
}

/** --quiet shows no lines; without progress or a terminal there is a line a cell. */
function modeOf(manage: Manage): ProgressMode {
  if (manage.quiet) return 'none';
  return progressMode(manage) === 'bar' ? 'bar' : 'lines';
}

async function runAll(folder: string, plan: Plan, manage: Manage): Promise<void> {
  const lock = takeLock(join(folder, 'lock'));
  const stop = catchStop();
  try {
    const failed = await trainCells(folder, plan, manage, stop.signal);
    const summary = await summarize(folder, plan);
    if (stop.signal.aborted) {
      const { length } = summary.cells;
      console.error(`stopped after ${length} of ${plan.cells.length} cells; the same command goes on`);
      process.exitCode = stop.exitCode();
      return;
    }
    console.log(`${manage.quiet ? '' : '\n'}${summaryText(summary)}`);
    if (!manage.quiet) console.log(`\nsummary: ${join(folder, 'summary.json')}`);
    for (const line of failed) console.error(line);
    if (failed.length > 0) {
      console.error(
        `${failed.length} ${failed.length === 1 ? 'cell' : 'cells'} failed; the same command tries them again`,
      );
      process.exitCode = 1;
    }
  } finally {
    stop.destroy();
    lock.release();
  }
}

/** Trains what is not finished; returns a line for each cell that failed. */
async function trainCells(
  folder: string,
  plan: Plan,
  manage: Manage,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const states = await Promise.all(plan.cells.map((cell) => stateOf(cellFolder(folder, cell))));
  const open = plan.cells.filter((_, i) => states[i].kind !== 'finished');
  const kept = plan.cells.length - open.length;
  const jobs = Math.max(1, Math.min(manage.jobs, open.length));
  const total = manage.threads ?? availableParallelism();
  const threads = manage.threads === null && jobs === 1 ? null : Math.max(1, Math.floor(total / jobs));
  const bar = await openCellBar(modeOf(manage), plan.cells.length, kept);
  bar.print(startLine(folder, plan, kept, jobs));
  const failed: string[] = [];
  let [done, running] = [kept, 0];
  try {
    await inTurn(open, jobs, async (cell) => {
      if (signal.aborted) return;
      bar.update(done, ++running);
      const started = performance.now();
      const ending = await trainCell(folder, cell, threads, signal);
      running--;
      if (ending.kind !== 'stopped') done++;
      const line = endingLine(folder, cell, ending, (performance.now() - started) / 1000);
      if (ending.kind === 'failed') failed.push(line);
      tell(bar, `[${done}/${plan.cells.length}] ${line}`, done, running);
    });
  } finally {
    bar.end();
  }
  return failed;
}

function tell(bar: CellBar, line: string, done: number, running: number): void {
  bar.update(done, running);
  bar.print(line);
}

function startLine(folder: string, { cells }: Plan, kept: number, jobs: number): string {
  const finished = kept > 0 ? `, ${kept} of them finished` : '';
  return `${folder}: ${cells.length} cells${finished}, ${jobs} at once`;
}

function endingLine(folder: string, cell: Cell, ending: Ending, seconds: number | null): string {
  const name = cellName(cell);
  if (ending.kind === 'failed') return `${name}: ${ending.reason} (${outputPath(cellFolder(folder, cell))})`;
  if (ending.kind !== 'finished') return `${name}: stopped`;
  const { test, best_epoch } = ending.result;
  const metrics = Object.entries(test ?? {}).map(([metric, value]) => `${metric} ${value.toFixed(4)}`);
  const took = seconds === null ? '' : `, ${durationText(seconds)}`;
  return `${name}: ${metrics.length > 0 ? `test ${metrics.join(', ')}, ` : ''}best epoch ${best_epoch}${took}`;
}
