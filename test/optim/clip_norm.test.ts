import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SegmentPlanner, Store, Tape, compile, rowIds, sgd, size, type Tensor } from '../../engine/index.js';
import { close } from '../support/close.js';
import { testDevice } from '../support/device.js';
import { values } from './training.js';

const device = await testDevice();

/** No whole vec4s; one part; more than the 1,024 parts that a gradient is summed in. */
const shapes: readonly (readonly number[])[] = [[5], [3, 7], [70001, 4]];
const table = [50, 3];
const ids = Uint32Array.of(7, 7, 3, 0, 49, 3);

/** Records that the gradient of each parameter is the input of its name, that of `rows` made of `source`. */
function recordGiven(tape: Tape) {
  const parameters = shapes.map((shape, i) =>
    tape.parameter(`p${i}`, shape, { init: () => new Float32Array(size(shape)) }),
  );
  const rows = tape.parameter('rows', table, { init: () => new Float32Array(150), table: true });
  const named = rowIds(tape.input('ids', [8], 'u32'), { name: 'ids', rows: table[0] });
  const loss = tape.variable('loss', [1]);
  const zero = tape.constant('zero', shapes[2], new Float32Array(size(shapes[2])));
  tape.record({
    op: 'given',
    shader: 'elementwise',
    inputs: [...parameters, rows],
    output: loss,
    backward(_, run) {
      run.rows(rows, named, tape.input('source', [8, table[1]]));
      return [...parameters.map((p) => copy(tape, run, p, zero)), undefined];
    },
  });
  return { loss, layout: named.layout, rule: named.rule };
}

function copy(
  tape: Tape,
  run: Parameters<Parameters<Tape['record']>[0]['backward']>[1],
  p: Tensor,
  b: Tensor,
) {
  const y = run.scratch('gradient', p.shape);
  const quads = Math.ceil(size(p.shape) / 4);
  run('add_forward', { a: tape.input(`g.${p.name}`, p.shape), b, y }, { quads }, [quads]);
  return y;
}

/** Minus the step that gradient descent with learning rate 1 makes, by parameter, and what state.clip is then. */
async function stepOf(maxNorm: number | undefined) {
  const store = new Store(device, 1);
  const tape = new Tape({ training: true });
  const { loss, layout, rule } = recordGiven(tape);
  const clipNorm = maxNorm === undefined ? undefined : { maxNorm };
  const plan = await compile(device, store, { tape, loss, optimizer: sgd(), clipNorm });
  plan.setSchedule(1, Float32Array.of(1, 0, 0, 0));
  shapes.forEach((shape, i) => store.write(`g.p${i}`, values(size(shape), i + 1)));
  store.write('source', values(ids.length * table[1], 9));
  const block = new Uint32Array(layout.stride);
  new SegmentPlanner(rule).plan(ids, layout, block);
  store.write('segments.ids', block);
  plan.run(1);
  const steps: Record<string, Float32Array> = {};
  for (const { name } of store.list('parameter'))
    steps[name] = ((await store.read(name)) as Float32Array).map((p) => -p);
  const clip = new Float32Array((await store.read('state')).buffer, 16, 1)[0];
  plan.destroy();
  store.destroy();
  return { steps, clip };
}

/** The gradients that stepOf gives, in f64. */
function gradients(): Record<string, Float64Array> {
  const all = Object.fromEntries(
    shapes.map((shape, i) => [`p${i}`, Float64Array.from(values(size(shape), i + 1))]),
  );
  const rows = new Float64Array(size(table));
  values(ids.length * table[1], 9).forEach((g, k) => (rows[ids[Math.floor(k / 3)] * 3 + (k % 3)] += g));
  return { ...all, rows };
}

const clipSuite = suite('clip_norm');
clipSuite.after(() => device.destroy());

for (const share of [0.001, 0.5, 0.999]) {
  clipSuite(`scales all gradients to ${share} of their joint norm, as torch does`, async () => {
    const expected = gradients();
    const norm = Math.sqrt(
      Object.values(expected).reduce((sum, g) => sum + g.reduce((s, x) => s + x * x, 0), 0),
    );
    const { steps } = await stepOf(share * norm);
    const factor = (share * norm) / (norm + 1e-6);
    for (const [name, g] of Object.entries(expected)) {
      const unscaled = steps[name].map((x) => x / factor);
      close(unscaled, g, 2e-6, name);
    }
  });
}

clipSuite('leaves gradients below the norm as they are', async () => {
  const [clipped, plain] = [await stepOf(1e6), await stepOf(undefined)];
  for (const [name, step] of Object.entries(plain.steps)) {
    assert.is(
      step.findIndex((x, i) => x !== clipped.steps[name][i]),
      -1,
      name,
    );
  }
});

clipSuite('leaves a factor of 1 behind, for plans that do not clip', async () => {
  assert.is((await stepOf(0.1)).clip, 1);
});

clipSuite('does not count what pads a gradient', async () => {
  const store = new Store(device, 1);
  const tape = new Tape({ training: true });
  const partials = tape.input('partials', [1]);
  const run = tape.launcher('clip_norm', 'clip_norm', tape.forward);
  run('clip_norm_squares', { g4: tape.input('g', [8]), partials }, { count: 5, parts: 1, offset: 0 }, [1]);
  const plan = await compile(device, store, { tape });
  store.write('g', Float32Array.of(1, 2, 3, 4, 5, 1e30, NaN, Infinity));
  plan.run(1);
  assert.is((await store.read('partials'))[0], 55);
  plan.destroy();
  store.destroy();
});

clipSuite.run();
