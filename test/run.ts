/**
 * Runs every compiled test file in a process of its own, two at a time, and closes with one plain line.
 *
 *   node dist/test/run.js [part of a path …]
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Outcome {
  readonly file: string;
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

/** uvu closes with `Total:`, `Passed:` and `Skipped:` lines; a file without them crashed and counts as one failure. */
function outcomeOf(file: string, output: string, code: number | null, seconds: number): Outcome {
  const number = (label: string) => Number(new RegExp(`${label}:\\s+(\\d+)`).exec(output)?.[1] ?? Number.NaN);
  const [total, passed, skipped] = [number('Total'), number('Passed'), number('Skipped')];
  if (Number.isNaN(total)) return { file, passed: 0, skipped: 0, failed: 1, output, seconds };
  // uvu counts a skipped test as skipped only, not in its total.
  const failed = total - passed;
  return { file, passed, skipped, failed: failed === 0 && code !== 0 ? 1 : failed, output, seconds };
}

function runFile(file: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(process.execPath, ['--enable-source-maps', join(root, file)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      env: { ...process.env, NO_COLOR: '1' },
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('close', (code, signal) => {
      const text = signal === null ? output : `${output}\nkilled by ${signal}\n`;
      resolve(outcomeOf(file, text, code, (performance.now() - started) / 1000));
    });
  });
}

function report({ file, passed, skipped, failed, output, seconds }: Outcome): void {
  const counts = `${passed} passed${failed ? `, ${failed} FAILED` : ''}${skipped ? `, ${skipped} skipped` : ''}`;
  console.log(`${failed ? '✗' : '✓'} ${file} (${counts}, ${seconds.toFixed(1)} s)`);
  if (failed > 0) console.log(output.replace(/^/gm, '    '));
  else for (const line of output.split('\n')) if (line.startsWith('SKIP ')) console.log(`    ${line}`);
}

async function main(): Promise<void> {
  const files = testFiles(process.argv.slice(2));
  const outcomes: Outcome[] = [];
  const next = files.values();
  const lane = async () => {
    for (const file of next) {
      const outcome = await runFile(file);
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
