import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CheckpointError } from '../../cli/checkpoint.js';
import { readSafetensors, writeSafetensors, type Weight } from '../../cli/weights/safetensors.js';

const folder = mkdtempSync(join(tmpdir(), 'safetensors-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const made = join(folder, 'made.safetensors');

/** Written by the Python package safetensors 0.8.0, with tensors of five types in its own order. */
const python = 'test/fixtures/safetensors/python.safetensors';

const reading = suite('readSafetensors');

reading('reads what another implementation wrote, of every type', async () => {
  const tensors = await readSafetensors(python);
  const of = (name: string) => {
    const { shape, data } = tensors.get(name) as Weight;
    return { shape: [...shape], data: [...data] };
  };
  assert.equal([...tensors.keys()].sort(), [
    'a.bias',
    'counter.num_batches_tracked',
    'double',
    'empty',
    'half',
    'z.weight',
    'ünï "q"',
  ]);
  assert.equal(of('z.weight'), { shape: [2, 3], data: [-0.25, -0.125, 0, 0.125, 0.25, 0.375] });
  assert.equal(of('a.bias'), { shape: [3], data: [1.5, -2.25e-8, 3.4e38].map(Math.fround) });
  assert.equal(of('half'), { shape: [2, 2], data: [0.5, -65504, 2 ** -24, Infinity] });
  assert.equal(of('double'), { shape: [2], data: [Math.fround(1 / 3), -Infinity] });
  assert.equal(of('counter.num_batches_tracked'), { shape: [], data: [7] });
  assert.equal(of('empty'), { shape: [0, 4], data: [] });
  assert.equal(of('ünï "q"'), { shape: [1], data: [1] });
});

/** A file of the format around any header and any bytes. */
function write(header: unknown, data: readonly number[] = []): string {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const path = join(folder, 'any.safetensors');
  writeFileSync(path, Buffer.concat([length, json, Buffer.from(data)]));
  return path;
}

reading('reads bfloat16, the upper half of f32', async () => {
  const header = { x: { dtype: 'BF16', shape: [2], data_offsets: [0, 4] } };
  const tensors = await readSafetensors(write(header, [0xc0, 0x3f, 0x80, 0xff]));
  assert.equal([...(tensors.get('x') as Weight).data], [1.5, -Infinity]);
});

async function refusal(path: string): Promise<string> {
  try {
    await readSafetensors(path);
  } catch (error) {
    assert.instance(error, CheckpointError);
    return (error as Error).message.replace(path, 'FILE');
  }
  return assert.unreachable(`${path} was read`) as never;
}

reading('says what is wrong with a file', async () => {
  const f32 = (shape: unknown, data_offsets: unknown, dtype: unknown = 'F32') => ({
    dtype,
    shape,
    data_offsets,
  });
  const eight = [0, 0, 0, 0, 0, 0, 0, 0];
  const cases: [unknown, readonly number[], string][] = [
    ['{', [], 'its header is not JSON'],
    [[], [], 'header is not a set of fields'],
    [{ x: 3 }, [], 'x is not a set of fields'],
    [{ x: f32([2], [0, 8], 'Q7') }, eight, 'x.dtype is not one of F32, F64, F16, BF16, I64, I32'],
    [{ x: f32([-2], [0, 8]) }, eight, 'x.shape[0] is not a count from 0 on'],
    [{ x: f32([2], [0]) }, eight, 'x.data_offsets has 1 numbers, not 2'],
    [{ x: f32([3], [0, 8]) }, eight, 'x has 8 bytes, not 12'],
    [{ x: f32([1], [4, 8]) }, eight, 'x begins at byte 4, not 0'],
    [{ x: f32([2], [0, 8]), y: f32([1], [4, 8]) }, eight, 'y begins at byte 4, not 8'],
    [{ x: f32([1], [0, 4]) }, eight, 'its tensors have 4 bytes, but 8 follow the header'],
    [{ x: f32([2], [0, 8]) }, [], 'its tensors have 8 bytes, but 0 follow the header'],
  ];
  for (const [header, data, problem] of cases) {
    assert.is(await refusal(write(header, data)), `weights FILE: ${problem}; use another file`);
  }
});

reading('says where a file is cut off or something else', async () => {
  const bytes = readFileSync(python);
  const path = join(folder, 'cut.safetensors');
  for (const length of [0, 7]) {
    writeFileSync(path, bytes.subarray(0, length));
    assert.match(await refusal(path), `${length} bytes are too few for safetensors`);
  }
  writeFileSync(path, bytes.subarray(0, 100));
  assert.match(await refusal(path), /not safetensors, or cut off: a header of \d+ bytes in a file of 100/);
  writeFileSync(path, bytes.subarray(0, bytes.length - 1));
  assert.match(await refusal(path), /its tensors have 72 bytes, but 71 follow the header/);
  writeFileSync(path, 'a text of more than eight letters');
  assert.match(await refusal(path), /not safetensors, or cut off/);
});

reading.run();

const writing = suite('writeSafetensors');

writing('writes what it reads, bit for bit', async () => {
  const tensors = new Map<string, Weight>([
    ['b', { shape: [2, 2], data: Float32Array.of(1, -0, NaN, 1e-42) }],
    ['__proto__', { shape: [1], data: Float32Array.of(3) }],
    // A view into a larger buffer.
    ['a', { shape: [3], data: new Float32Array([9, 1, 2, 3, 9]).subarray(1, 4) }],
  ]);
  await writeSafetensors(made, tensors, { format: 'pt' });
  const read = await readSafetensors(made);
  assert.equal([...read.keys()], [...tensors.keys()]);
  for (const [name, { shape, data }] of tensors) {
    const back = read.get(name) as Weight;
    assert.equal([...back.shape], [...shape]);
    assert.equal(
      [...new Uint32Array(back.data.buffer)],
      [...new Uint32Array(Float32Array.from(data).buffer)].map((bits, i) =>
        Number.isNaN(data[i]) ? new Uint32Array(back.data.buffer)[i] : bits,
      ),
    );
  }
});

writing('lays a file out as the format says', async () => {
  await writeSafetensors(made, new Map([['x', { shape: [1, 2], data: Float32Array.of(1, 2) }]]), { a: 'b' });
  const bytes = readFileSync(made);
  const length = Number(bytes.readBigUInt64LE());
  assert.is(length % 8, 0);
  const text = bytes.toString('utf8', 8, 8 + length);
  assert.is(
    text.trimEnd(),
    '{"__metadata__":{"a":"b"},"x":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}',
  );
  assert.is(bytes.length, 8 + length + 8);
  assert.equal([bytes.readFloatLE(8 + length), bytes.readFloatLE(12 + length)], [1, 2]);
});

writing.run();
