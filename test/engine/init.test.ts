import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  constant,
  fanInUniform,
  fans,
  normal,
  ones,
  uniform,
  xavierNormal,
  xavierUniform,
  zeros,
  type Initializer,
} from '../../engine/init.js';
import { Stream } from '../../engine/random.js';
import { ShapeError } from '../../engine/shape.js';

const stream = Stream.named(2020, 'token_embedding_table.embedding.weight');

function moments(values: Float32Array): { mean: number; std: number; largest: number } {
  let [sum, squares, largest] = [0, 0, 0];
  for (const x of values) {
    sum += x;
    squares += x * x;
    largest = Math.max(largest, Math.abs(x));
  }
  const mean = sum / values.length;
  return { mean, std: Math.sqrt(squares / values.length - mean * mean), largest };
}

/** Mean and standard deviation within five standard errors. */
function hasMoments(values: Float32Array, mean: number, std: number): void {
  const found = moments(values);
  const error = (5 * std) / Math.sqrt(values.length);
  assert.ok(Math.abs(found.mean - mean) < error, `mean ${found.mean}, expected ${mean}`);
  assert.ok(Math.abs(found.std - std) < error, `std ${found.std}, expected ${std}`);
}

const fixed = suite('zeros, ones, constant');
fixed('fill the whole shape', () => {
  assert.equal([...zeros([2, 3], stream)], [0, 0, 0, 0, 0, 0]);
  assert.equal([...ones([3], stream)], [1, 1, 1]);
  assert.equal([...constant(0.5)([1], stream)], [0.5]);
});
fixed.run();

const random = suite('normal and uniform');
random('have the moments asked for', () => {
  hasMoments(normal(3, 0.1)([101, 499], stream), 3, 0.1);
  hasMoments(normal()([101, 499], stream), 0, 1);
  hasMoments(uniform(-1, 3)([101, 499], stream), 1, 4 / Math.sqrt(12));
});
random('uniform stays in its interval', () => {
  const values = uniform(-0.25, 0.5)([49999], stream);
  assert.ok(values.every((x) => x >= -0.25 && x < 0.5));
});
random('depend on seed, name and shape only', () => {
  const draw: Initializer[] = [normal(), uniform(), xavierNormal(), xavierUniform(), fanInUniform()];
  for (const init of draw) {
    const values = init([7, 3], stream);
    assert.equal(init([7, 3], Stream.named(2020, 'token_embedding_table.embedding.weight')), values);
    assert.not.equal(init([7, 3], Stream.named(2021, 'token_embedding_table.embedding.weight')), values);
    assert.not.equal(init([7, 3], Stream.named(2020, 'bias')), values);
  }
});
random.run();

const fan = suite('fans');
fan('counts inputs on axis 1, outputs on axis 0, and the receptive field', () => {
  assert.equal(fans([400, 208]), { fanIn: 208, fanOut: 400 });
  assert.equal(fans([8, 4, 3, 5]), { fanIn: 60, fanOut: 120 });
});
fan('refuses a vector', () => {
  assert.throws(
    () => xavierNormal()([16], stream),
    (error: Error) => error instanceof ShapeError && error.message.startsWith('fans: shape [16] has 1 axes'),
  );
});
fan.run();

const xavier = suite('xavierNormal and xavierUniform');
xavier('scale with both fans', () => {
  hasMoments(xavierNormal()([3001, 16], stream), 0, Math.sqrt(2 / 3017));
  hasMoments(xavierNormal(2)([40, 20, 3, 5], stream), 0, 2 * Math.sqrt(2 / 900));
  hasMoments(xavierUniform()([300, 100], stream), 0, Math.sqrt(2 / 400));
});
xavier('uniform stays within its bound and comes close to it', () => {
  const bound = 0.5 * Math.sqrt(6 / 400);
  const { largest } = moments(xavierUniform(0.5)([300, 100], stream));
  assert.ok(largest <= bound && largest > 0.999 * bound, `${largest} against ${bound}`);
});
xavier.run();

const linear = suite('fanInUniform');
linear('is bounded by the weight’s fan, also for its bias', () => {
  const bound = 1 / Math.sqrt(64);
  const weight = moments(fanInUniform()([500, 64], stream));
  assert.ok(weight.largest <= bound && weight.largest > 0.999 * bound);
  const bias = moments(fanInUniform(64)([500], stream));
  assert.ok(bias.largest <= bound && bias.largest > 0.98 * bound);
});
linear.run();
