import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { failureText } from '../../cli/command.js';
import { ConfigError, plainMessage } from '../../cli/errors.js';
import { skipUnless } from '../support/skip.js';

const folder = mkdtempSync(join(tmpdir(), 'ctr-command-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const compiled = (path: string) => pathToFileURL(join('dist', path)).href;

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

type Child = ReturnType<typeof spawn>;

/** Runs a Node script; `meanwhile` sees each piece of its stdout. */
function run(
  args: readonly string[],
  meanwhile: (child: Child, stdout: string) => void = () => {},
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 20_000 });
    let [stdout, stderr] = ['', ''];
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdout.on('data', (chunk: Buffer) => meanwhile(child, (stdout += chunk.toString())));
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** Runs the body of a `main(argv)` under runCommand. */
function runMain(body: string, meanwhile?: (child: Child, stdout: string) => void): Promise<Ended> {
  const script = join(folder, `main-${Math.random().toString(36).slice(2)}.mjs`);
  writeFileSync(
    script,
    `import { writeFileSync } from 'node:fs';
     import { interruption, runCommand } from '${compiled('cli/command.js')}';
     import { ConfigError } from '${compiled('cli/errors.js')}';
     import { DataError } from '${compiled('data/errors.js')}';
     const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
     await runCommand('train', async (argv) => { ${body} });`,
  );
  return run([script, '--a=1'], meanwhile);
}

const command = suite('runCommand');

command('passes the arguments and ends with 0', async () => {
  const { code, stdout, stderr } = await runMain('console.log(argv.join())');
  assert.equal([code, stdout, stderr], [0, '--a=1\n', '']);
});

command('prints errors of the user as one line', async () => {
  const config = await runMain(`throw new ConfigError('--epochs=x: not a number; give an int')`);
  assert.equal([config.code, config.stdout], [1, '']);
  assert.is(config.stderr, 'train: --epochs=x: not a number; give an int\n');
  const data = await runMain(`throw new DataError('4 columns, want 3', 'a.inter', 7)`);
  assert.equal([data.code, data.stderr], [1, 'train: a.inter:7: 4 columns, want 3\n']);
});

command('keeps the stack and the cause of every other error', async () => {
  const { code, stderr } = await runMain(`throw new TypeError('oops', { cause: new Error('the reason') })`);
  assert.is(code, 1);
  assert.match(stderr, /^train: TypeError: oops\n +at .*main-/);
  assert.match(stderr, /the reason/);
});

command('handles what nobody awaits', async () => {
  const { code, stderr } = await runMain(
    `setTimeout(() => { throw new ConfigError('late') }); await wait(5000)`,
  );
  assert.equal([code, stderr], [1, 'train: late\n']);
});

command('ends quietly when the reader of stdout has gone', async () => {
  const body = `for (;;) { process.stdout.write('x'.repeat(10_000)); await wait(1) }`;
  const { code, stderr } = await runMain(body, (child) => child.stdout?.destroy());
  assert.equal([code, stderr], [0, '']);
});

command('ends with 130 on Ctrl-C', async () => {
  const { code, signal } = await runMain(`console.log('up'); await wait(10000)`, (child) =>
    child.kill('SIGINT'),
  );
  assert.equal([code, signal], [130, null]);
});

skipUnless(['/dev/full'], command, 'names a full disk', async () => {
  const { code, stderr } = await runMain(`writeFileSync('/dev/full', 'x')`);
  assert.is(code, 1);
  assert.match(stderr, /^train: .*: no space left on the device; free some, .*\(ENOSPC\)\n$/);
});

command.run();

const interrupting = suite('interruption');

interrupting('lets the first Ctrl-C finish in order, the second not', async () => {
  const body = `
    const { signal, destroy } = interruption();
    console.log('up');
    signal.addEventListener('abort', () => console.log('saving'));
    await wait(10000);`;
  const seen: string[] = [];
  const { code, stdout } = await runMain(body, (child, text) => {
    for (const word of ['up', 'saving']) {
      if (text.includes(word) && !seen.includes(word)) {
        seen.push(word);
        child.kill('SIGINT');
      }
    }
  });
  assert.equal([code, stdout], [130, 'up\nsaving\n']);
});

interrupting('gives Ctrl-C back', async () => {
  const body = `interruption().destroy(); console.log('up'); await wait(10000);`;
  const { code } = await runMain(body, (child) => child.kill('SIGINT'));
  assert.is(code, 130);
});

interrupting.run();

const messages = suite('plainMessage');

messages('explains what the system says, with the path', () => {
  const system = (code: string, path?: string) =>
    Object.assign(new Error(code), { code, path, syscall: 'write' });
  assert.match(plainMessage(system('EACCES', '/x/y')) ?? '', /^\/x\/y: permission denied; .*\(EACCES\)$/);
  assert.match(plainMessage(system('ENOSPC')) ?? '', /^write: no space left on the device; free some, /);
  assert.is(plainMessage(system('EWHATEVER', '/x')), null);
});

messages('is for errors of the user alone', () => {
  assert.is(plainMessage(new ConfigError('a; b')), 'a; b');
  for (const name of ['ShapeError', 'KernelError', 'DeviceError', 'CheckpointError', 'DataError']) {
    assert.is(plainMessage(Object.assign(new Error('m'), { name })), 'm');
  }
  assert.is(plainMessage(new RangeError('m')), null);
  assert.is(plainMessage('text'), null);
  assert.match(failureText('rank-eval', 'text'), /^rank-eval: 'text'$/);
});

messages.run();

const launchers = suite('launchers');

launchers('say when nothing is compiled', async () => {
  mkdirSync(join(folder, 'bare', 'cli'), { recursive: true });
  writeFileSync(join(folder, 'bare', 'package.json'), '{"type": "module"}');
  for (const file of ['start.js', 'train.js'])
    copyFileSync(join('cli', file), join(folder, 'bare', 'cli', file));
  const { code, stderr } = await run([join(folder, 'bare', 'cli', 'train.js')]);
  assert.equal([code, stderr], [1, 'train: not compiled; run npm run build\n']);
});

launchers('say when Node is too old', async () => {
  const preload = join(folder, 'old.mjs');
  writeFileSync(preload, `Object.defineProperty(process.versions, 'node', { value: '20.10.9' });`);
  const { code, stderr } = await run(['--import', pathToFileURL(preload).href, join('cli', 'train.js')]);
  assert.equal([code, stderr], [1, 'train: Node 20.10.9 is too old; install 20.11 or later\n']);
});

launchers('exist for every command', () => {
  for (const name of ['train', 'rank-eval', 'predict', 'export', 'data', 'doctor']) {
    assert.ok(existsSync(join('cli', `${name}.js`)), name);
  }
});

launchers.run();
