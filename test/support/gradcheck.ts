import * as assert from 'uvu/assert';
import { compile, Store, Tape, type Device, type Tensor } from '../../engine/index.js';
import { close } from './close.js';
import { numbers } from './numbers.js';

/** An op under test beside its slow, obvious twin in f64. */
export interface OpCase {
  /** Differentiable inputs: shape, and data if it must be special (random normal otherwise). */
  readonly inputs: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly data?: readonly number[] }>
  >;
  /** u32 inputs. */
  readonly ids?: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly data: readonly number[] }>
  >;
  build(t: Readonly<Record<string, Tensor>>, tape: Tape): Tensor;
  reference(x: Readonly<Record<string, Float64Array>>): ArrayLike<number>;
  /** Writes further inputs (segments of row gradients), after compile. */
  feed?(store: Store): void;
  /** Relative error allowed in y; 1e-5 by default. */
  readonly tolerance?: number;
  readonly training?: boolean;
}

interface Outcome {
  readonly x: Record<string, Float64Array>;
  readonly y: Float32Array;
  readonly shape: readonly number[];
  readonly dy: Float64Array;
  readonly gradients: Record<string, Float32Array>;
}

const wide = (values: ArrayLike<number>) => Float64Array.from(values);

/** Runs forward and backward of a case once, through the same compiler and plan as a training step. */
export async function runCase(device: Device, one: OpCase): Promise<Outcome> {
  const store = new Store(device, 1);
  const tape = new Tape({ training: one.training ?? true, denseTables: true });
  const random = numbers(7);
  const t: Record<string, Tensor> = {};
  for (const [name, { shape }] of Object.entries(one.inputs)) t[name] = tape.variable(name, shape);
  for (const [name, { shape }] of Object.entries(one.ids ?? {})) t[name] = tape.input(name, shape, 'u32');
  const y = one.build(t, tape);
  const dy = tape.input('seed_gradient', y.shape);
  const plan = await compile(device, store, { tape, output: { y, dy }, keep: [y] });
  // What no dispatch reads has no buffer yet: the gradient of a sum is the seed itself.
  const write = (name: string, shape: readonly number[], values: Float32Array) => {
    store.ensure('input', name, shape, 'f32');
    store.write(name, values);
  };
  const x: Record<string, Float64Array> = {};
  for (const [name, { shape, data }] of Object.entries(one.inputs)) {
    const values = Float32Array.from(data ?? random(shape));
    write(name, shape, values);
    x[name] = wide(values);
  }
  for (const [name, { data }] of Object.entries(one.ids ?? {})) {
    if (store.has(name)) store.write(name, Uint32Array.from(data));
  }
  const seed = Float32Array.from(random(y.shape));
  write('seed_gradient', y.shape, seed);
  one.feed?.(store);
  plan.run(1);
  const gradients: Record<string, Float32Array> = {};
  for (const [tensor, gradient] of plan.gradients) {
    if (gradient.kind === 'dense') gradients[tensor.name] = await plan.read(gradient.tensor);
  }
  const outcome = { x, y: await plan.read(y), shape: y.shape, dy: wide(seed), gradients };
  plan.destroy();
  store.destroy();
  return outcome;
}

/** Asserts that y equals the reference. */
export async function checkForward(device: Device, one: OpCase): Promise<void> {
  const { x, y } = await runCase(device, one);
  close(y, one.reference(x), one.tolerance ?? 1e-5, 'y');
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};

/**
 * Asserts for every input and two random directions u that ⟨dx, u⟩ of the kernels is the central difference of
 * ⟨dy, reference(x + h·u)⟩ in f64, within 1e-4 of the size of the terms.
 */
export async function checkGradient(device: Device, one: OpCase): Promise<void> {
  const { x, dy, gradients } = await runCase(device, one);
  // The tests say by themselves whether the gradients are right.
  if (process.env.CTR_RECORD) return;
  const random = numbers(11);
  const h = 1e-5;
  for (const name of Object.keys(one.inputs)) {
    assert.ok(gradients[name] !== undefined, `d${name} is missing`);
    for (let trial = 0; trial < 2; trial++) {
      const u = random([x[name].length]);
      const shifted = (sign: number) =>
        dot(dy, one.reference({ ...x, [name]: x[name].map((value, i) => value + sign * h * u[i]) }));
      const expected = (shifted(1) - shifted(-1)) / (2 * h);
      const actual = dot(gradients[name], u);
      const scale = Math.hypot(...Array.from(u, (value, i) => value * gradients[name][i]), expected, 1e-6);
      const error = Math.abs(actual - expected) / scale;
      assert.ok(
        error < 1e-4,
        `⟨d${name}, u⟩ is ${actual}, the central difference ${expected} (error ${error})`,
      );
    }
  }
}
