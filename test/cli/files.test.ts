import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { plainMessage } from '../../cli/errors.js';
import { atomicWrite, type FileData } from '../../cli/files.js';

const folder = mkdtempSync(join(tmpdir(), 'ctr-files-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const writing = suite('atomicWrite');

async function failure(path: string, data: FileData): Promise<unknown> {
  return atomicWrite(path, data).then(
    () => 'written',
    (error: unknown) => error,
  );
}

writing('writes text, bytes and pieces, and replaces what was there', async () => {
  const path = join(folder, 'a');
  await atomicWrite(path, 'é');
  assert.equal([...readFileSync(path)], [0xc3, 0xa9]);
  await atomicWrite(path, Uint8Array.of(1, 2, 3));
  assert.equal([...readFileSync(path)], [1, 2, 3]);
  await atomicWrite(path, [Uint8Array.of(4), Uint8Array.of(5, 6)]);
  assert.equal([...readFileSync(path)], [4, 5, 6]);
  assert.equal(readdirSync(folder), ['a']);
});

writing('keeps the old file and leaves no other when it fails', async () => {
  const path = join(folder, 'a');
  writeFileSync(path, 'old');
  function* broken(): Generator<Uint8Array> {
    yield Uint8Array.of(1);
    throw new Error('torn');
  }
  assert.match(String(await failure(path, broken())), /torn/);
  assert.is(readFileSync(path, 'utf8'), 'old');
  assert.equal(readdirSync(folder), ['a']);
});

writing('names the wanted path, not the temporary one', async () => {
  const gone = join(folder, 'gone', 'a');
  assert.match(plainMessage(await failure(gone, 'x')) ?? '', `${gone}: no such file or directory; `);
  const taken = join(folder, 'folder');
  mkdirSync(taken);
  assert.match(plainMessage(await failure(taken, 'x')) ?? '', `${taken}: is a directory; `);
  assert.equal(readdirSync(folder).sort(), ['a', 'folder']);
});

writing('keeps whole files apart when many writers meet', async () => {
  const path = join(folder, 'many');
  const texts = Array.from({ length: 8 }, (_, i) => String(i).repeat(10_000));
  await Promise.all(texts.map((text) => atomicWrite(path, text)));
  assert.ok(texts.includes(readFileSync(path, 'utf8')));
});

writing.run();
