/**
 * Runs every compiled test file in a process of its own, two at a time, and closes with one plain line. Tests run on the
 * adapter that `auto` finds, which without a GPU is the CPU target; those that compute run once more on a software
 * Vulkan, so that the way through Dawn is tested on machines without a GPU too.
 *
 *   node dist/test/run.js [part of a path …]
 *
 * With CTR_ADAPTER set everything runs once, on that adapter.
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findAdapter } from '../engine/adapter.js';

/** A test file, and the adapter it is to run on if that is not the usual one. */
interface Job {
  readonly file: string;
  readonly adapter?: string;
}

interface Outcome {
  readonly name: string;
  readonly passed: number;
  readonly skipped: number;
  readonly failed: number;
  readonly output: string;
  readonly seconds: number;
}

const root = fileURLToPath(new URL('.', import.meta.url));
/** No single file may take longer: a hung GPU process would block the run for ever. */
const timeoutMs = 8 * 60_000;

function testFiles(filters: readonly string[]): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.js'))
    .map((file) => file.split(sep).join('/'))
    .filter((file) => filters.length === 0 || filters.some((part) => file.includes(part)))
    .sort();
}

/** Folders of tests that compute on a device, or in which commands do. */
const computing = /^(engine|models|ops|optim|shaders|cli\/(doctor|predict|rank|resume|runner|train))/;

/** Why there is no software Vulkan to test on; undefined if there is one. */
async function noSoftware(): Promise<string | undefined> {
  try {
    await findAdapter('software');
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

async function jobsOf(files: readonly string[]): Promise<Job[]> {
  const usual = files.map((file): Job => ({ file }));
  const again = files.filter((file) => computing.test(file));
  if (process.env.CTR_ADAPTER || again.length === 0) return usual;
  const missing = await noSoftware();
  if (missing === undefined) return [...usual, ...again.map((file): Job => ({ file, adapter: 'software' }))];
  console.log(`SKIP the second run, on software Vulkan: ${missing}`);
  return usual;
}

/** uvu closes with `Total:`, `Passed:` and `Skipped:` lines; a file without them crashed and counts as one failure. */
function outcomeOf(name: string, output: string, code: number | null, seconds: number): Outcome {
  const number = (label: string) => Number(new RegExp(`${label}:\\s+(\\d+)`).exec(output)?.[1] ?? Number.NaN);
  const [total, passed, skipped] = [number('Total'), number('Passed'), number('Skipped')];
  if (Number.isNaN(total)) return { name, passed: 0, skipped: 0, failed: 1, output, seconds };
  // uvu counts a skipped test as skipped only, not in its total.
  const failed = total - passed;
  return { name, passed, skipped, failed: failed === 0 && code !== 0 ? 1 : failed, output, seconds };
}

function runFile({ file, adapter }: Job): Promise<Outcome> {
  const name = adapter === undefined ? file : `${file} on ${adapter}`;
  return new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(process.execPath, ['--enable-source-maps', join(root, file)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      env: { ...process.env, NO_COLOR: '1', ...(adapter !== undefined && { CTR_ADAPTER: adapter }) },
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('close', (code, signal) => {
      const text = signal === null ? output : `${output}\nkilled by ${signal}\n`;
      resolve(outcomeOf(name, text, code, (performance.now() - started) / 1000));
    });
  });
}

function report({ name, passed, skipped, failed, output, seconds }: Outcome): void {
  const counts = `${passed} passed${failed ? `, ${failed} FAILED` : ''}${skipped ? `, ${skipped} skipped` : ''}`;
  console.log(`${failed ? '✗' : '✓'} ${name} (${counts}, ${seconds.toFixed(1)} s)`);
  if (failed > 0) console.log(output.replace(/^/gm, '    '));
  else for (const line of output.split('\n')) if (line.startsWith('SKIP ')) console.log(`    ${line}`);
}

async function main(): Promise<void> {
  const files = testFiles(process.argv.slice(2));
  const outcomes: Outcome[] = [];
  const next = (await jobsOf(files)).values();
  const lane = async () => {
    for (const job of next) {
      const outcome = await runFile(job);
      outcomes.push(outcome);
      report(outcome);
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, lane));
  const sum = (key: 'passed' | 'failed' | 'skipped') => outcomes.reduce((total, one) => total + one[key], 0);
  if (files.length === 0) console.log(`no test file matches ${relative('.', root)}`);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
  process.exitCode = sum('failed') === 0 && sum('passed') > 0 ? 0 : 1;
}

await main();
