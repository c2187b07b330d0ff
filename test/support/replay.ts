import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CommandSpec, Device, Kernel } from '../../engine/index.js';
import { readLaunches, type Launch } from './recording.js';

const tests = fileURLToPath(new URL('../', import.meta.url));

/** The compiled tests of ops, optimizers, the feed and the bench's kernels, which launch every kernel. */
function testFiles(): string[] {
  const inFolder = (folder: string) =>
    readdirSync(join(tests, folder)).map((file) => join(tests, folder, file));
  const all = ['ops', 'optim'].flatMap(inFolder).filter((file) => file.endsWith('.test.js'));
  return [...all, ...['models/feed.test.js', 'bench/kernels.test.js'].map((file) => join(tests, file))];
}

/** Runs these tests on the CPU in a process of its own, and returns launches of their kernels. */
export async function recordedLaunches(): Promise<readonly Launch[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ctr-launches-'));
  const target = join(folder, 'launches.bin');
  const args = [join(tests, 'support/record.js'), target, ...testFiles()];
  const env = { ...process.env, CTR_ADAPTER: 'cpu', CTR_THREADS: '1', CTR_RECORD: '1' };
  try {
    await new Promise<void>((resolve, reject) => {
      const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-2000)));
      const ended = (code: number | null) =>
        code === 0 ? resolve() : reject(new Error(`record.js ended with ${code}: ${output}`));
      child.on('close', ended);
    });
    return readLaunches(target);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const wordsOf = (bytes: Uint8Array) => new Uint32Array(bytes.slice().buffer);

/** Runs launches again, and returns the words of the buffers that they write. */
export async function replay(
  device: Device,
  launches: readonly Launch[],
): Promise<readonly (readonly (Uint32Array | undefined)[])[]> {
  const buffers = launches.map(({ before }) =>
    before.map((bytes, i) => {
      const buffer = device.buffer(`buffer ${i}`, bytes.length);
      device.upload(buffer, wordsOf(bytes));
      return buffer;
    }),
  );
  const specs = launches.map((launch, i): CommandSpec => ({
    ...launch,
    buffers: Object.fromEntries(Object.entries(launch.buffers).map(([name, at]) => [name, buffers[i][at]])),
  }));
  const commands = await device.commands(specs);
  device.run(commands, 1);
  return Promise.all(
    launches.map(({ after }, i) =>
      Promise.all(
        after.map(async (bytes, k) => bytes && new Uint32Array(await device.download(buffers[i][k]))),
      ),
    ),
  );
}

/** What the launches wrote when they were recorded, as replay() returns it. */
export const recordedWords = (launches: readonly Launch[]) =>
  launches.map(({ after }) => after.map((bytes) => bytes && wordsOf(bytes)));

/** Bytes for any struct with one element of the array at its end. */
const enough = 1024;

/** Compiles kernels, so that a replay need not. */
export async function warm(device: Device, kernels: readonly Kernel[]): Promise<void> {
  const specs = kernels.map(({ shader, entry, storage, overrides }): CommandSpec => {
    const buffers = Object.fromEntries(storage.map(({ name }) => [name, device.buffer(name, enough)]));
    // Compilers divide by overrides, and not by 0.
    const dims = Object.fromEntries(overrides.map((name) => [name, 1]));
    return { label: entry, shader, entry, buffers, dims, over: [1] };
  });
  device.releaseCommands(await device.commands(specs));
}
