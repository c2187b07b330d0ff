import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  Tape,
  binaryCrossEntropy,
  classAggregation,
  softmaxCrossEntropy,
  softmaxCrossEntropyUniform,
} from '../../engine/index.js';
import { close } from '../support/close.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, runCase, type OpCase } from '../support/gradcheck.js';

const device = await testDevice();
const rowsOf = (z: Float64Array, width: number) =>
  Array.from({ length: z.length / width }, (_, b) => Array.from(z.slice(b * width, (b + 1) * width)));
const logSumExp = (z: readonly number[]) => {
  const largest = Math.max(...z);
  return largest + Math.log(z.reduce((sum, value) => sum + Math.exp(value - largest), 0));
};

const softmaxSuite = suite('softmaxCrossEntropy');
function softmaxCase(batch: number, classes: number, data?: readonly number[]): OpCase {
  const labels = Array.from({ length: batch }, (_, b) => (b * 7 + 1) % classes);
  return {
    inputs: { z: { shape: [batch, classes], data } },
    ids: { label: { shape: [batch], data: labels } },
    build: ({ z, label }) => softmaxCrossEntropy(z, label),
    reference: ({ z }) => rowsOf(z, classes).map((row, b) => logSumExp(row) - row[labels[b]]),
  };
}
for (const [batch, classes] of [
  [1, 1],
  [1, 5],
  [3, 2],
  [77, 5],
]) {
  softmaxSuite(`[${batch},${classes}] is −log of the label's probability`, () =>
    checkForward(device, softmaxCase(batch, classes)),
  );
  softmaxSuite(`[${batch},${classes}] has its gradient`, () =>
    checkGradient(device, softmaxCase(batch, classes)),
  );
}
softmaxSuite('stays finite for logits of ±1000', async () => {
  await checkForward(device, softmaxCase(2, 3, [1000, -1000, 0, -1000, 999, 1000]));
});
softmaxSuite('wants one u32 class a row', () => {
  const tape = new Tape({ training: true });
  const z = tape.input('z', [4, 5]);
  assert.throws(
    () => softmaxCrossEntropy(z, tape.input('a', [3], 'u32')),
    /needs one u32 class a row, but label is u32\[3\]/,
  );
  assert.throws(() => softmaxCrossEntropy(z, tape.input('b', [4])), /label is f32\[4\]/);
});

const uniformSuite = suite('softmaxCrossEntropyUniform');
const uniformCase = (batch: number, classes: number, data?: readonly number[]): OpCase => ({
  inputs: { z: { shape: [batch, classes], data } },
  build: ({ z }) => softmaxCrossEntropyUniform(z),
  reference: ({ z }) =>
    rowsOf(z, classes).map((row) => row.reduce((sum, value) => sum + (logSumExp(row) - value) / classes, 0)),
});
for (const [batch, classes] of [
  [1, 1],
  [3, 2],
  [77, 5],
]) {
  uniformSuite(`[${batch},${classes}] is the mean of −log of all probabilities`, () =>
    checkForward(device, uniformCase(batch, classes)),
  );
  uniformSuite(`[${batch},${classes}] has its gradient`, () =>
    checkGradient(device, uniformCase(batch, classes)),
  );
}
uniformSuite('stays finite for logits of ±1000', async () => {
  await checkForward(device, uniformCase(2, 3, [1000, -1000, 0, -1000, 999, 1000]));
});
uniformSuite('wants classes', () => {
  const z = new Tape({ training: true }).input('z', [4]);
  assert.throws(() => softmaxCrossEntropyUniform(z), /^ShapeError|softmax_cross_entropy_uniform: z/);
});

const binarySuite = suite('binaryCrossEntropy');
function binaryCase(batch: number, data?: readonly number[]): OpCase {
  const labels = Array.from({ length: batch }, (_, b) => b % 2);
  return {
    inputs: { z: { shape: [batch, 1], data } },
    ids: { label: { shape: [batch], data: labels } },
    build: ({ z, label }) => binaryCrossEntropy(z, label),
    reference: ({ z }) =>
      Array.from(
        z,
        (value, b) => Math.max(value, 0) - value * labels[b] + Math.log1p(Math.exp(-Math.abs(value))),
      ),
  };
}
for (const batch of [1, 3, 200]) {
  binarySuite(`[${batch}] is the log-likelihood`, () => checkForward(device, binaryCase(batch)));
  binarySuite(`[${batch}] has its gradient`, () => checkGradient(device, binaryCase(batch)));
}
binarySuite('keeps small losses of confident logits', async () => {
  const { y, x } = await runCase(device, binaryCase(4, [-12, 12, -20, 30]));
  const exact = Array.from(x.z, (value) => Math.log1p(Math.exp(-Math.abs(value))));
  close(
    Array.from(y, (value, b) => value / exact[b]),
    [1, 1, 1, 1],
    1e-5,
    'y / exact',
  );
});
binarySuite('wants one u32 label a row', () => {
  const tape = new Tape({ training: true });
  assert.throws(
    () => binaryCrossEntropy(tape.input('z', [4, 1]), tape.input('l', [5], 'u32')),
    /label is u32\[5\]/,
  );
});

const aggregationSuite = suite('classAggregation');
for (const how of ['logit_sum', 'prob_sum'] as const) {
  for (const [batch, classes, positive] of [
    [1, 2, 1],
    [3, 5, 3],
    [90, 5, 1],
    [7, 3, 2],
  ]) {
    const side = (row: readonly number[]) =>
      how === 'logit_sum' ? row.reduce((a, b) => a + b, 0) : logSumExp(row);
    const one: OpCase = {
      inputs: { z: { shape: [batch, classes] } },
      build: ({ z }) => classAggregation(z, positive, how),
      reference: ({ z }) =>
        rowsOf(z, classes).flatMap((row) => [side(row.slice(0, positive)), side(row.slice(positive))]),
    };
    const name = `${how} [${batch},${classes}] from class ${positive}`;
    aggregationSuite(`${name} sums each side`, () => checkForward(device, one));
    aggregationSuite(`${name} has its gradient`, () => checkGradient(device, one));
  }
}
aggregationSuite('wants classes on both sides', () => {
  const z = new Tape({ training: true }).input('z', [4, 5]);
  for (const positive of [0, 5, 2.5]) {
    assert.throws(
      () => classAggregation(z, positive, 'logit_sum'),
      new RegExp(`positive ones begin at ${positive}`),
    );
  }
});

aggregationSuite.after(() => device.destroy());
softmaxSuite.run();
uniformSuite.run();
binarySuite.run();
aggregationSuite.run();
