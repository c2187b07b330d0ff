import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ShapeError, Tape, resize } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, runCase, type OpCase } from '../support/gradcheck.js';

const device = await testDevice();
const resizeSuite = suite('resize');
resizeSuite.after(() => device.destroy());

for (const [shape, width, first] of [
  [[1], 3, 0],
  [[3, 5], 8, 0],
  [[3, 8], 5, 0],
  [[3, 8], 5, 3],
  [[3, 8], 8, -2],
  [[2, 3, 4], 1, 3],
  [[2, 3, 4], 9, -3],
  [[70, 3, 6], 8, 2],
] as [number[], number, number][]) {
  const before = shape[shape.length - 1];
  const rows = shape.slice(0, -1).reduce((product, axis) => product * axis, 1);
  const one: OpCase = {
    inputs: { x: { shape } },
    build: ({ x }) => resize(x, width, first),
    reference: ({ x }) =>
      Array.from({ length: rows }, (_, row) => {
        const values = x.slice(row * before, (row + 1) * before);
        return Array.from({ length: width }, (_, j) => values[j + first] ?? 0);
      }).flat(),
  };
  const what = `${width} columns of [${shape}] from ${first} on`;
  resizeSuite(`${what} are those or zeros`, async () => {
    assert.equal((await runCase(device, one)).shape, [...shape.slice(0, -1), width]);
    await checkForward(device, one);
  });
  resizeSuite(`${what} have the gradient of the formula`, () => checkGradient(device, one));
}

resizeSuite('gives x itself where nothing changes, and wants whole numbers', () => {
  const x = new Tape({ training: true }).input('x', [3, 4]);
  assert.is(resize(x, 4), x);
  for (const [width, first] of [
    [0, 0],
    [2.5, 0],
    [2, 0.5],
  ]) {
    assert.throws(
      () => resize(x, width, first),
      (error: Error) => error instanceof ShapeError && /resize: width .* from column/.test(error.message),
    );
  }
});

resizeSuite.run();
