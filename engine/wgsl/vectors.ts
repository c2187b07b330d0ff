import type { Ref } from './builder.js';
import { SubsetError } from './errors.js';
import { converted, settled, splat } from './operators.js';
import { nameOf, registersOf, scalar, vector, type Type, type VectorType } from './types.js';
import { deepest, isSimple, type Leaf, type Value, type Values } from './values.js';
import { loadFour } from './words.js';

const letters = ['xyzw', 'rgba'];

/** Numbers of the components that a swizzle names: 'zw' → [2, 3]. Throws SubsetError if there is none of that name. */
export function componentsOf(name: string, width: number): number[] {
  const set = letters.find((one) => [...name].every((letter) => one.includes(letter))) ?? '';
  const lanes = [...name].map((letter) => set.indexOf(letter));
  if (lanes.some((lane) => lane < 0 || lane >= width))
    throw new SubsetError(`no component ${name} in vec${width}`);
  return lanes;
}

const asVector = ({ type }: Value): VectorType => {
  if (type.kind === 'vector') return type;
  throw new SubsetError(`${nameOf(type)} has no components`);
};

/** One component of a vector. */
export function lane(values: Values, value: Value, at: number): Value {
  const { of, width } = asVector(value);
  const { module } = values.builder;
  if (width !== 4) return values.part(value, scalar(of), at);
  const [vec] = value.leaves;
  const make = () => {
    const ref = vec.make();
    if (of === 'f32') return module.f32x4.extract_lane(ref, at);
    const bits = module.i32x4.extract_lane(ref, at);
    return of === 'bool' ? module.i32.and(bits, module.i32.const(1)) : bits;
  };
  const leaf: Leaf = { make, simple: false, stable: true, lane: { of: vec, at } };
  return values.of(scalar(of), [leaf], value.depth);
}

/** The vector with one component replaced. */
export function withLane(values: Values, value: Value, at: number, component: Value): Value {
  const type = asVector(value);
  const { module } = values.builder;
  const one = settled(values, component, type.of);
  if (type.width !== 4) {
    const leaves = value.leaves.map((leaf, i) => (i === at ? one.leaves[0] : leaf));
    return values.of(type, leaves, deepest([value, one]));
  }
  return values.computed(type, deepest([value, one]), () => {
    const into = value.leaves[0].make();
    if (type.of === 'f32') return module.f32x4.replace_lane(into, at, values.write(one));
    const bits = values.write(one);
    return module.i32x4.replace_lane(
      into,
      at,
      type.of === 'bool' ? module.i32.sub(module.i32.const(0), bits) : bits,
    );
  });
}

/** `value.xy`: one component, or a vector of those named. */
export function swizzle(values: Values, value: Value, name: string): Value {
  const { of, width } = asVector(value);
  const lanes = componentsOf(name, width);
  if (lanes.length === 1) return lane(values, value, lanes[0]);
  const kept = isSimple(value) ? value : values.keep(value);
  if (width === 4 && lanes.length === 4) {
    const bytes = lanes.flatMap((at) => [4 * at, 4 * at + 1, 4 * at + 2, 4 * at + 3]);
    const shuffled = () =>
      values.builder.module.i8x16.shuffle(kept.leaves[0].make(), kept.leaves[0].make(), bytes);
    return values.computed(value.type, value.depth, shuffled);
  }
  const parts = lanes.map((at) => lane(values, kept, at));
  return gathered(values, vector(of, lanes.length), parts);
}

/** A vector of scalars. */
function gathered(values: Values, type: VectorType, parts: readonly Value[]): Value {
  const depth = deepest(parts);
  if (type.width !== 4)
    return values.of(
      type,
      parts.map(({ leaves }) => leaves[0]),
      depth,
    );
  const constants = parts.map(({ constant }) => constant);
  if (constants.every((one) => one !== undefined)) return constantVector(values, type, constants);
  const together = loadFour(parts.flatMap(({ leaves }) => leaves));
  if (together !== undefined) return values.computed(type, depth, together);
  const lanes = parts.flatMap(({ leaves: [leaf] }) => leaf.lane ?? []);
  if (lanes.length === 4) return values.computed(type, depth, () => shuffled(values, lanes));
  const [first, ...rest] = parts;
  return rest.reduce((vec, part, i) => withLane(values, vec, i + 1, part), splat(values, first, type));
}

const bytesOf = (...lanes: readonly number[]) =>
  lanes.flatMap((at) => [0, 1, 2, 3].map((byte) => 4 * at + byte));

/**
 * A vec4 of components of four others, two by two. Those at the same place go together with their neighbours, since that is
 * one instruction, and the same one for another column when rows are turned into columns.
 */
function shuffled(values: Values, [a, b, c, d]: readonly NonNullable<Leaf['lane']>[]): Ref {
  const { i8x16 } = values.builder.module;
  const pair = (one: typeof a, other: typeof a) => {
    const at = one.at & 2;
    const lanes =
      one.at === other.at ? [at, at + 4, at + 1, at + 5] : [one.at, other.at + 4, one.at, other.at + 4];
    return i8x16.shuffle(one.of.make(), other.of.make(), bytesOf(...lanes));
  };
  const half = (one: typeof a, other: typeof a) => (one.at === other.at ? 2 * (one.at & 1) : 0);
  const [low, high] = [half(a, b), half(c, d)];
  return i8x16.shuffle(pair(a, b), pair(c, d), bytesOf(low, low + 1, high + 4, high + 5));
}

function constantVector(values: Values, type: VectorType, numbers: readonly number[]): Value {
  const bytes = new DataView(new ArrayBuffer(16));
  numbers.forEach((number, i) => {
    if (type.of === 'f32') bytes.setFloat32(4 * i, number, true);
    else bytes.setInt32(4 * i, type.of === 'bool' ? -number : number, true);
  });
  const make = () => values.builder.module.v128.const(new Uint8Array(bytes.buffer));
  const constant = numbers.every((number) => Object.is(number, numbers[0])) ? numbers[0] : undefined;
  return { ...values.of(type, [{ make, simple: true, stable: true }], 0), constant };
}

/** All zero: `vec4f()`, and what variables start from. */
export function zero(values: Values, type: Type): Value {
  if (type.kind === 'scalar') return values.constant(type.of, 0);
  if (type.kind === 'vector' && type.width === 4) return constantVector(values, type, [0, 0, 0, 0]);
  const { module } = values.builder;
  const leaves = registersOf(type).map((register): Leaf => {
    const make = (): Ref => {
      if (register === 'v128') return module.v128.const(new Uint8Array(16));
      return register === 'f32' ? module.f32.const(0) : module.i32.const(0);
    };
    return { make, simple: true, stable: true };
  });
  return values.of(type, leaves, 0);
}

/** `vec4f(…)`: from one scalar, another vector, or parts that together are as wide. */
export function constructVector(values: Values, type: VectorType, args: readonly Value[]): Value {
  if (args.length === 0) return zero(values, type);
  const [only] = args;
  if (args.length === 1 && only.type.kind === 'scalar') {
    const one = converted(values, only, type.of);
    if (one.constant !== undefined && type.width === 4) {
      return constantVector(values, type, new Array<number>(4).fill(one.constant));
    }
    return splat(values, one, type);
  }
  if (args.length === 1) return converted(values, only, type.of);
  const parts = args.flatMap((arg) => {
    if (arg.type.kind === 'scalar') return [settled(values, arg, type.of)];
    const kept = isSimple(arg) ? arg : values.keep(arg);
    return Array.from({ length: asVector(arg).width }, (_, i) => lane(values, kept, i));
  });
  if (parts.length !== type.width) throw new SubsetError(`${nameOf(type)} of ${parts.length} components`);
  return gathered(values, type, parts);
}

/** `value[index]` of an array or vector in registers: chosen by selects if the index is no constant. */
export function indexed(values: Values, value: Value, index: Value): Value {
  const { type } = value;
  if (type.kind !== 'array' && type.kind !== 'vector')
    throw new SubsetError(`${nameOf(type)} has no elements`);
  const of = type.kind === 'array' ? type.of : scalar(type.of);
  const count = type.kind === 'array' ? type.count : type.width;
  const element = (kept: Value, at: number): Value =>
    type.kind === 'vector' ? lane(values, kept, at) : values.part(kept, of, at * registersOf(of).length);
  if (index.constant !== undefined) {
    if (index.constant < 0 || index.constant >= count)
      throw new SubsetError(`element ${index.constant} of ${nameOf(type)}`);
    return element(value, index.constant);
  }
  const kept = isSimple(value) ? value : values.keep(value);
  const at = isSimple(index) ? index : values.keep(index);
  const elements = Array.from({ length: count }, (_, i) => element(kept, i));
  return elements.reduceRight((rest, one, i) => selectAt(values, at, i, one, rest));
}

/** `one` where the index is `at`, elsewhere `rest`. */
export function selectAt(values: Values, index: Value, at: number, one: Value, rest: Value): Value {
  const { module } = values.builder;
  const leaves = one.leaves.map((leaf, r): Leaf => ({
    make: () =>
      module.select(
        module.i32.eq(values.write(index), module.i32.const(at)),
        leaf.make(),
        rest.leaves[r].make(),
      ),
    simple: false,
    stable: true,
  }));
  return values.of(one.type, leaves, deepest([index, one, rest]));
}
