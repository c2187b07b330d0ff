import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Packr } from 'msgpackr';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isPlain } from '../../cli/checkpoint/plain.js';
import {
  checkpointWriter,
  putTensors,
  readCheckpoint,
  takeTensors,
  type Progress,
  type RunIdentity,
  type SavedTensor,
} from '../../cli/checkpoint.js';
import { Mt19937 } from '../../data/mt19937.js';
import { Store, type Device } from '../../engine/index.js';
import { memoryDevice } from '../support/memory_device.js';

const folder = mkdtempSync(join(tmpdir(), 'checkpoint-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const freshPath = () => join(folder, `${files++}.ckpt`);

const users = ['[PAD]', 'ann', 'bob', 'Zoë\tor not', '\ufeffmark'];
const identity: RunIdentity = {
  config: { model: 'FM', dataset: 'd', config_files: [], options: { seed: 1 }, model_options: {}, data: {} },
  adapter: 'none',
  data: { rows: 3, digest: 'ab' },
  schema: {
    token: [{ name: 'user_id', source: 'inter', cardinality: 5, offset: 0 }],
    tokenSeq: [{ name: 'genre', source: 'item', cardinality: 2, maxLength: 3 }],
    float: [{ name: 'price', source: 'item', cardinality: 2, offset: 0 }],
    userField: 'user_id',
    itemField: 'item_id',
  },
  vocabularies: new Map([
    ['user_id', users],
    ['friend_id', users],
    ['genre', ['[PAD]', '']],
  ]),
};

const tensors = new Map<string, SavedTensor>([
  ['v', { kind: 'parameter', shape: [2, 3], data: Float32Array.of(1, -0, Infinity, 1e-45, 5, 6) }],
  ['last_step.v', { kind: 'slot', shape: [2, 1], data: Uint32Array.of(7, 2 ** 32 - 1) }],
]);

const generator = new Mt19937(5).exportState();
const progress: Progress = {
  epochs: 2,
  valid: { AUC: 0.75, LogLoss: Number.NaN },
  run: {
    epoch: 2,
    done: 3,
    losses: { loss: 1.25 },
    step: 11,
    order: { epoch: 2, generator },
    stopping: { best: -Infinity, bestEpoch: -1, waited: 0 },
    best: null,
    history: [{ epoch: 0, losses: { loss: 2 }, valid: null }],
  },
  tensors,
};

async function written(change: Partial<Progress> = {}): Promise<string> {
  const path = freshPath();
  await checkpointWriter(identity).write(path, { ...progress, ...change });
  return path;
}

async function refusal(path: string): Promise<string> {
  try {
    await readCheckpoint(path);
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
  throw new Error('it was read');
}

const round = suite('readCheckpoint');

round('gives back what was written, bit for bit', async () => {
  const { path, ...read } = await readCheckpoint(await written());
  assert.ok(path.startsWith(folder));
  assert.equal(read, { ...identity, ...progress });
  assert.ok(Object.is(read.tensors.get('v')?.data[1], -0));
  assert.is(read.vocabularies.get('user_id'), read.vocabularies.get('friend_id'));
});

round('keeps tensors of more words than are read at once apart', async () => {
  const big = new Float32Array((65 << 20) / 4).fill(1);
  big[big.length - 1] = 2;
  const path = await written({
    tensors: new Map([...tensors, ['big', { kind: 'parameter', shape: [big.length], data: big }]]),
  });
  const data = (await readCheckpoint(path)).tensors.get('big')?.data;
  assert.is(data?.length, big.length);
  assert.is(data?.at(-1), 2);
  rmSync(path);
});

round('leaves no file but the checkpoint', async () => {
  const before = readdirSync(folder).length;
  const path = await written();
  await checkpointWriter(identity).write(path, progress);
  assert.is(readdirSync(folder).length, before + 1);
});

round('refuses a file that is cut off anywhere', async () => {
  const path = await written();
  const bytes = readFileSync(path);
  for (const length of [0, 5, 40, 87, 88, 200, bytes.length - 1]) {
    writeFileSync(path, bytes.subarray(0, length));
    assert.match(await refusal(path), /^CheckpointError: checkpoint \S+: .+; .+$/, `${length} bytes`);
  }
});

round('refuses a file with any byte changed', async () => {
  const path = await written({ run: null });
  const bytes = readFileSync(path);
  for (let at = 0; at < bytes.length; at += 3) {
    const changed = Buffer.from(bytes);
    changed[at] ^= 0x10;
    writeFileSync(path, changed);
    assert.match(await refusal(path), /^CheckpointError: checkpoint \S+: .+; .+$/, `byte ${at}`);
  }
});

round('names version, checksum and foreign files', async () => {
  const path = await written();
  const bytes = readFileSync(path);
  const edit = (change: (copy: Buffer) => void) => {
    const copy = Buffer.from(bytes);
    change(copy);
    writeFileSync(path, copy);
    return refusal(path);
  };
  assert.match(await edit((copy) => copy.writeUInt32LE(9, 8)), /format version 9, .* reads version 1; use/);
  assert.match(await edit((copy) => copy.fill(1, 88, 90)), /the checksum of its header is wrong/);
  assert.match(
    await edit((copy) => copy.fill(1, bytes.length - 4)),
    /the checksum of its tensors is wrong; it is damaged/,
  );
  assert.match(await edit((copy) => copy.write('PK')), /not a checkpoint of this program; give a best\.ckpt/);
});

round('names a file that is not there', async () => {
  assert.match(await refusal(join(folder, 'none.ckpt')), /ENOENT/);
});

/** A file with this header, its sums right. */
function forged(header: Buffer, blobs = Buffer.alloc(0)): string {
  const prefix = Buffer.from(readFileSync(join(folder, '0.ckpt')).subarray(0, 88));
  prefix.writeUInt32LE(header.length, 12);
  prefix.writeDoubleLE(blobs.length, 16);
  prefix.set(createHash('sha256').update(header).digest(), 24);
  prefix.set(createHash('sha256').update(blobs).digest(), 56);
  const path = freshPath();
  writeFileSync(path, Buffer.concat([prefix, header, blobs]));
  return path;
}

const plain = new Packr({ useRecords: false });

round('refuses forged headers of any kind', async () => {
  const headers = [
    new Packr().pack({ sizes: [], meta: {} }), // records, which msgpackr compiles
    plain.pack({ sizes: [], meta: new Date() }),
    plain.pack({ sizes: [-1], meta: {} }),
    plain.pack({ sizes: [1e15], meta: {} }),
    plain.pack([1, 2]),
    plain.pack({ sizes: [], meta: null }),
    plain.pack({ sizes: [], meta: { adapter: 3 } }),
    Buffer.concat([plain.pack({ sizes: [], meta: {} }), Buffer.from([0xc0])]),
    Buffer.from([0xdf, 0xff, 0xff, 0xff, 0xff]),
    Buffer.alloc(0),
  ];
  for (const [i, header] of headers.entries()) {
    assert.match(
      await refusal(forged(header)),
      /^CheckpointError: checkpoint \S+: .+; use another one$/,
      `${i}`,
    );
  }
});

round('refuses values of the wrong kind, naming them', async () => {
  const bad = (change: object) => written(change as Partial<Progress>).then(refusal);
  const run = progress.run as NonNullable<Progress['run']>;
  assert.match(await bad({ epochs: 1.5 }), /: epochs is not a count from 0 on; use another one$/);
  assert.match(await bad({ valid: { AUC: 'high' } }), /: valid\.AUC is not a number/);
  assert.match(await bad({ run: { ...run, done: -1 } }), /: run\.done is not a count/);
  const order = { epoch: 0, generator: { words: new Uint32Array(3), index: 0 } };
  assert.match(await bad({ run: { ...run, order } }), /run\.order\.generator\.words is not the state/);
  const odd = { kind: 'parameter', shape: [4, 2], data: new Float32Array(6) };
  assert.match(await bad({ tensors: new Map([['v', odd]]) }), /: v has 24 bytes, not 32/);
  const strange = { kind: 'program', shape: [1], data: new Float32Array(1) };
  assert.match(
    await bad({ tensors: new Map([['v', strange]]) }),
    /tensors\[0\]\.kind is not one of parameter/,
  );
});

round.run();

const simple = suite('isPlain');

simple('takes whole plain data and nothing else', () => {
  const values = [
    null,
    true,
    -1,
    70000,
    2 ** 40,
    1.5,
    'x'.repeat(300),
    [1, [2, [3]]],
    { a: { b: [] } },
    Buffer.of(1),
  ];
  for (const value of values) {
    const bytes = plain.pack(value);
    assert.is(isPlain(bytes), true, String(value));
    for (let length = 0; length < bytes.length; length++)
      assert.is(isPlain(bytes.subarray(0, length)), false);
    assert.is(isPlain(Buffer.concat([bytes, bytes])), false);
  }
  for (const value of [new Date(), new Packr().pack({ a: 1 }), { a: new Set([1]) }]) {
    const bytes = Buffer.isBuffer(value)
      ? value
      : new Packr({ useRecords: false, moreTypes: true }).pack(value);
    assert.is(isPlain(bytes), false);
  }
});

simple.run();

const tensorsSuite = suite('putTensors');

function filledStore(device: Device): Store {
  const store = new Store(device, 0);
  store.ensure('parameter', 'v', [2, 3], 'f32');
  store.ensure('slot', 'last_step.v', [2, 1], 'u32');
  store.ensure('input', 'rows', [4], 'u32');
  return store;
}

tensorsSuite('writes what takeTensors took', async () => {
  const store = filledStore(memoryDevice());
  putTensors(store, tensors, 'here', 'parameter', 'state', 'slot');
  assert.equal(await takeTensors(store, 'parameter', 'slot'), tensors);
  assert.equal([...(await takeTensors(store, 'parameter')).keys()], ['v']);
});

tensorsSuite('throws on a missing, a further and an unlike tensor before anything is written', async () => {
  const store = filledStore(memoryDevice());
  const put = (change: ReadonlyMap<string, SavedTensor | null>) => {
    const changed = [...new Map<string, SavedTensor | null>([...tensors, ...change])];
    const kept = changed.filter((entry): entry is [string, SavedTensor] => entry[1] !== null);
    putTensors(store, new Map(kept), 'checkpoint best.ckpt', 'parameter', 'slot');
  };
  const data = new Float32Array(8);
  const [v] = tensors.values();
  assert.throws(
    () => put(new Map([['v', null]])),
    /^checkpoint best\.ckpt: has no parameter v, which .*; retrain$/,
  );
  assert.throws(() => put(new Map([['w', v]])), /has a parameter w, which this model has not; retrain/);
  assert.throws(
    () => put(new Map([['v', { kind: 'parameter', shape: [2, 4], data }]])),
    /parameter v is f32 \[2,4\], this model and schema need f32 \[2,3\]; rebuild the vocabulary or retrain/,
  );
  assert.throws(
    () => put(new Map([['last_step.v', { ...v, shape: [2, 1] }]])),
    /is f32 \[2,1\], .* u32 \[2,1\]/,
  );
  assert.equal((await takeTensors(store, 'parameter')).get('v')?.data, new Float32Array(6));
});

tensorsSuite.run();
