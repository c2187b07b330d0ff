import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ShapeError, Tape, edgeSoftmax } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, runCase, type OpCase } from '../support/gradcheck.js';

const device = await testDevice();
const edges = suite('edge_softmax');
edges.after(() => device.destroy());

function reference(x: Float64Array, batch: number, fields: number, slope: number): number[] {
  return Array.from({ length: batch * fields }, (_, i) => {
    const first = i - (i % fields);
    const e = Array.from({ length: fields }, (_, j) => {
      const sum = x[2 * i] + x[2 * (first + j) + 1];
      return first + j === i ? 0 : Math.exp(Math.max(sum, slope * sum));
    });
    const total = e.reduce((a, b) => a + b, 0);
    return e.map((one) => one / total);
  }).flat();
}

for (const [batch, fields, slope] of [
  [1, 2, 0.01],
  [3, 7, 0.01],
  [2, 4, 0.5],
  [70, 3, 0.01],
]) {
  const one: OpCase = {
    inputs: { x: { shape: [batch, fields, 2] } },
    build: ({ x }) => edgeSoftmax(x, { slope }),
    reference: ({ x }) => reference(x, batch, fields, slope),
  };
  edges(`of [${batch},${fields},2] weighs every field's edges to the others`, async () => {
    assert.equal((await runCase(device, one)).shape, [batch, fields, fields]);
    await checkForward(device, one);
  });
  edges(`of [${batch},${fields},2] has the gradient of the formula`, () => checkGradient(device, one));
}

edges('does not overflow', () =>
  checkForward(device, {
    inputs: { x: { shape: [1, 3, 2], data: [1e4, 2e4, 1e4, 1e4, -3e4, 1e4] } },
    build: ({ x }) => edgeSoftmax(x, { slope: 0.01 }),
    reference: () => [0, 0.5, 0.5, 1, 0, 0, 1, 0, 0],
  }),
);

edges('needs two fields and two numbers of each', () => {
  const tape = new Tape({ training: true });
  const says = (message: string) => (error: Error) =>
    error instanceof ShapeError && error.message === message;
  assert.throws(
    () => edgeSoftmax(tape.input('x', [5, 1, 2]), { slope: 0.01 }),
    says('edge_softmax: x [5,1,2] has 1 field, but edges need 2 or more'),
  );
  assert.throws(
    () => edgeSoftmax(tape.input('z', [5, 3, 4]), { slope: 0.01 }),
    says('edge_softmax: x [5,3,4] is not [B,F,2]'),
  );
});

edges.run();
