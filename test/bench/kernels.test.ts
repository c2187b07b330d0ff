import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { kernelFamilies } from '../../bench/kernels.js';
import type { CaseSizes } from '../../bench/kernels/op_case.js';
import { openCase, type KernelCase } from '../../bench/launch.js';
import { Tape, bytesOf, optimizers, type Dispatch, type Tensor } from '../../engine/index.js';
import * as ops from '../../engine/ops/index.js';
import { reflect } from '../../engine/reflect.js';
import { owner } from '../../engine/tensor.js';
import { testDevice } from '../support/device.js';
import { shaderSources } from '../support/sources.js';

/** Rows of whole vec4s, and rows of none. */
const allSizes: readonly CaseSizes[] = [
  [4, 8],
  [3, 6],
].map(([fields, dim]) => ({
  batch: 140,
  fields,
  dim,
  vocabularies: [400, 1000],
  sequence: 3,
  classes: fields,
  maps: [[dim, dim + 5]],
  columns: 5 * dim,
  heads: 2,
  channels: 5,
}));

const cases: readonly KernelCase[] = allSizes.flatMap((sizes) =>
  kernelFamilies.flatMap((family) => family(sizes)),
);

/** What a case launches, and the ops that it traces by the way. */
function recorded({ record, tape: options, chunkSteps }: KernelCase) {
  const tape = new Tape({ training: true, chunkSteps, ...options });
  const dispatches = record(tape);
  return { dispatches, ops: tape.recorded().map(({ op }) => op) };
}

const all = cases.map((one) => ({ one, ...recorded(one) }));

const coverage = suite('cases of kernels');

/** Exports that launch nothing: views, and what describes or foretells. */
const idle = ['detach', 'dropoutMask', 'reshape', 'rowIds', 'segmentsOf'];

coverage('are there for every op and optimizer', () => {
  const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const wanted = [...Object.keys(ops).filter((name) => !idle.includes(name)), ...Object.keys(optimizers)];
  const found = new Set(all.flatMap((one) => [...one.ops, ...one.dispatches.map(({ op }) => op)]));
  assert.ok(wanted.length > 40, `${wanted.length} ops and optimizers`);
  assert.equal(
    wanted.map(snake).filter((op) => !found.has(op)),
    [],
  );
});

/** The frame of a step, and what wants numbers that each step of a run has for itself: whole steps are measured with it. */
const ofRuns = ['step', 'adam_series'];

coverage('launch every entry but those of whole steps', () => {
  const launched = new Set(all.flatMap(({ dispatches }) => dispatches.map(({ entry }) => entry)));
  const entries = [...shaderSources()].flatMap(([name, source]) =>
    ofRuns.includes(name) ? [] : [...reflect(name, source).keys()],
  );
  assert.equal(
    entries.filter((entry) => !launched.has(entry)),
    [],
  );
});

coverage('have names of their own', () => {
  for (const sizes of allSizes) {
    const names = kernelFamilies.flatMap((family) =>
      family(sizes).map(({ name, shape }) => `${name} ${shape}`),
    );
    assert.equal(
      names.filter((name, i) => names.indexOf(name) !== i),
      [],
    );
  }
});

/** Bytes of all that the kernels bind, each buffer once, but twice what updates read and write in its place. */
function boundBytes(dispatches: readonly Dispatch[]): number {
  const tensors = new Set(dispatches.flatMap(({ buffers }) => Object.values(buffers).map(owner)));
  const times = ({ kind }: Tensor) => (kind === 'parameter' || kind === 'slot' ? 2 : 1);
  return [...tensors].reduce((sum, t) => sum + times(t) * bytesOf(t), 0);
}

coverage('count no more bytes than their kernels bind', () => {
  const wrong = all.flatMap(({ one: { name, shape, bytes }, dispatches }) =>
    bytes > 0 && bytes <= boundBytes(dispatches)
      ? []
      : [`${name} ${shape}: ${bytes} of ${boundBytes(dispatches)} bytes`],
  );
  assert.equal(wrong, []);
});

const device = await testDevice();
const running = suite('running them');

running('fails nowhere', async () => {
  for (const one of cases) {
    const { candidate, release } = await openCase(device, one);
    candidate.submit(2);
    await device.settled().catch((error: Error) => {
      throw new Error(`${one.name} ${one.shape}: ${error.message}`);
    });
    release();
  }
});

running.after(() => device.destroy());
for (const one of [coverage, running]) one.run();
