import type { Ref } from './builder.js';
import { SubsetError } from './errors.js';
import { binary, converted, lanesOf, lanewise, settled, splat } from './operators.js';
import { bool, f32, nameOf, scalar, type ScalarName, type Type } from './types.js';
import { deepest, isSimple, type Leaf, type Value, type Values } from './values.js';
import { lane } from './vectors.js';

/** Calls a function of the library in builtins.wgsl: `exp` of one or more floats or vec4s. */
export type LibraryCall = (name: string, args: readonly Value[]) => Value;

type Intrinsic = (values: Values, args: readonly Value[], library: LibraryCall) => Value;

const componentsOf = (type: Type): ScalarName =>
  type.kind === 'scalar' || type.kind === 'vector' ? type.of : 'int';
const isWide = ({ type }: Value) => type.kind === 'vector' && type.width === 4;

/** Arguments of one type: literals typed, scalars repeated beside vectors. Throws SubsetError if they are not. */
function alike(values: Values, args: readonly Value[]): Value[] {
  const of = args.map(({ type }) => componentsOf(type)).find((one) => one !== 'int') ?? 'i32';
  const typed = args.map((arg) => settled(values, arg, of));
  const wide = typed.find(({ type }) => type.kind === 'vector')?.type;
  const fits = ({ type }: Value) =>
    type.kind === 'scalar' ? type.of === of : wide !== undefined && nameOf(type) === nameOf(wide);
  if (!typed.every(fits)) {
    throw new SubsetError(`${args.map(({ type }) => nameOf(type)).join(' and ')} do not go together`);
  }
  if (wide?.kind !== 'vector') return typed;
  return typed.map((arg) => (arg.type.kind === 'scalar' ? splat(values, arg, wide) : arg));
}

const mapped = (values: Values, value: Value, apply: (ref: Ref) => Ref): Value => {
  const leaves = value.leaves.map((leaf): Leaf => ({
    make: () => apply(leaf.make()),
    simple: false,
    stable: true,
  }));
  return values.of(value.type, leaves, value.depth);
};

/** The value as floats. Throws SubsetError if it is none. */
function floats(values: Values, value: Value): Value {
  const typed = settled(values, value, 'f32');
  if (componentsOf(typed.type) === 'f32') return typed;
  throw new SubsetError(`${nameOf(value.type)} is given where floats are wanted`);
}

const floatPair = (values: Values, a: Value, b: Value): [Value, Value] => [
  floats(values, a),
  floats(values, b),
];

/** An instruction that floats and vec4s of floats have by the same name. */
const native =
  (name: 'sqrt' | 'floor' | 'ceil' | 'trunc' | 'nearest'): Intrinsic =>
  (values, [x]) => {
    const { module } = values.builder;
    const one = floats(values, x);
    return mapped(values, one, (ref) => (isWide(one) ? module.f32x4[name](ref) : module.f32[name](ref)));
  };

/** Less or greater of two. Of floats the first if neither is: a NaN in the first place stays. */
const extreme =
  (pick: 'min' | 'max'): Intrinsic =>
  (values, args) => {
    const [x, y] = alike(values, args).map((arg) => (isWide(arg) || isSimple(arg) ? arg : values.keep(arg)));
    const of = componentsOf(x.type);
    if (of === 'bool') throw new SubsetError(`${pick} is not for ${nameOf(x.type)}`);
    const { module } = values.builder;
    const sign = of === 'i32' ? 's' : 'u';
    if (isWide(x)) {
      const set = module.f32x4;
      return lanewise(values, x.type, x, y, (a, b) =>
        of === 'f32' ? set[pick === 'min' ? 'pmin' : 'pmax'](a, b) : module.i32x4[`${pick}_${sign}`](a, b),
      );
    }
    const less = (a: Ref, b: Ref) => (of === 'f32' ? module.f32.lt(a, b) : module.i32[`lt_${sign}`](a, b));
    const leaves = x.leaves.map((leaf, i): Leaf => {
      const [a, b] = [leaf.make, y.leaves[i].make];
      const make = () => module.select(pick === 'min' ? less(b(), a()) : less(a(), b()), b(), a());
      return { make, simple: false, stable: true };
    });
    return values.of(x.type, leaves, deepest([x, y]));
  };

/** Whether two values are known to be the same. */
const same = (a: Value, b: Value): boolean =>
  a.constant === undefined
    ? a.leaves[0] === b.leaves[0] && a.leaves[0].stable
    : Object.is(a.constant, b.constant);

/** select(a, b, a < b) and select(a, b, b < a), whose answers for NaN are those of pmax and pmin. */
function limited(values: Values, a: Value, b: Value, { less }: Value): Ref | undefined {
  const { f32x4 } = values.builder.module;
  if (less === undefined || componentsOf(a.type) !== 'f32') return undefined;
  if (same(a, less.low) && same(b, less.high)) return f32x4.pmax(values.write(a), values.write(b));
  if (same(a, less.high) && same(b, less.low)) return f32x4.pmin(values.write(a), values.write(b));
  return undefined;
}

/** Whether a vec4 has no bit in any lane. */
const isZero = ({ constant }: Value) => Object.is(constant, 0);

function select(values: Values, [no, yes, condition]: readonly Value[]): Value {
  const [a, b] = alike(values, [no, yes]);
  const { module } = values.builder;
  const widths = [b, condition].map(({ type }) => (type.kind === 'vector' ? type.width : 1));
  if (componentsOf(condition.type) !== 'bool' || (widths[1] > 1 && widths[0] !== widths[1])) {
    throw new SubsetError(`${nameOf(b.type)} is not selected by ${nameOf(condition.type)}`);
  }
  if (isWide(condition)) {
    const make = () => {
      const limit = limited(values, a, b, condition);
      if (limit !== undefined) return limit;
      const [no, yes, mask] = [a, b, condition].map((value) => () => values.write(value));
      if (isZero(b)) return module.v128.andnot(no(), mask());
      if (isZero(a)) return module.v128.and(yes(), mask());
      return module.v128.bitselect(yes(), no(), mask());
    };
    return values.computed(b.type, deepest([a, b, condition]), make);
  }
  const kept = b.leaves.length > 1 && !isSimple(condition) ? values.keep(condition) : condition;
  const leaves = b.leaves.map((leaf, i): Leaf => ({
    make: () => module.select(kept.leaves[widths[1] > 1 ? i : 0].make(), leaf.make(), a.leaves[i].make()),
    simple: false,
    stable: true,
  }));
  return values.of(b.type, leaves, deepest([a, b, condition]));
}

/** Sum of the products of the components, the first two and the last two first. */
function dot(values: Values, [x, y]: readonly Value[]): Value {
  const product = values.keep(binary(values, '*', x, y));
  const { type } = product;
  if (type.kind !== 'vector') throw new SubsetError(`dot of ${nameOf(type)}`);
  const lanes = Array.from({ length: type.width }, (_, i) => lane(values, product, i));
  const add = (a: Value, b: Value) => binary(values, '+', a, b);
  return lanes.length === 4 ? add(add(lanes[0], lanes[1]), add(lanes[2], lanes[3])) : lanes.reduce(add);
}

function abs(values: Values, [x]: readonly Value[]): Value {
  const { module } = values.builder;
  const of = componentsOf(x.type);
  if (of === 'u32') return x;
  if (of !== 'f32') throw new SubsetError(`abs of ${nameOf(x.type)} is not in the subset`);
  return mapped(values, x, (ref) =>
    isWide(x) ? module.v128.and(ref, lanesOf(module, 0x7fffffff)) : module.f32.abs(ref),
  );
}

const truth =
  (all: boolean): Intrinsic =>
  (values, [x]) => {
    const { module } = values.builder;
    if (componentsOf(x.type) !== 'bool') throw new SubsetError(`${nameOf(x.type)} is not of bool`);
    if (x.type.kind === 'scalar') return x;
    if (!isWide(x)) {
      const bits = x.leaves.map((leaf) => values.of(bool, [leaf], x.depth));
      return bits.reduce((a, b) => binary(values, all ? '&' : '|', a, b));
    }
    return values.computed(bool, x.depth, () =>
      all ? module.i32x4.all_true(values.write(x)) : module.v128.any_true(values.write(x)),
    );
  };

const one = (values: Values) => values.constant('f32', 1);

/** The builtin functions of WGSL in the subset that are few instructions; see builtins.wgsl for the others. */
const intrinsics: Readonly<Record<string, Intrinsic>> = {
  abs,
  all: truth(true),
  any: truth(false),
  ceil: native('ceil'),
  dot,
  floor: native('floor'),
  max: extreme('max'),
  min: extreme('min'),
  round: native('nearest'),
  select,
  sqrt: native('sqrt'),
  trunc: native('trunc'),
  clamp: (values, [x, low, high]) =>
    extreme('min')(values, [extreme('max')(values, [x, low], never), high], never),
  fma: (values, [a, b, c]) => binary(values, '+', binary(values, '*', a, b), c),
  inverseSqrt: (values, [x]) => binary(values, '/', one(values), native('sqrt')(values, [x], never)),
  mix: (values, [a, b, t]) => {
    const kept = values.keep(settled(values, t, 'f32'));
    const from = binary(values, '*', a, binary(values, '-', one(values), kept));
    return binary(values, '+', from, binary(values, '*', b, kept));
  },
  saturate: (values, [x]) => intrinsics.clamp(values, [x, values.constant('f32', 0), one(values)], never),
  step: (values, [edge, x]) => converted(values, binary(values, '<=', ...floatPair(values, edge, x)), 'f32'),
};

const never: LibraryCall = (name) => {
  throw new SubsetError(`${name} needs the library`);
};

/** Functions of the library with the name of WGSL's. */
const libraryNames = new Set(
  'acos acosh asin asinh atan atan2 atanh cos cosh exp exp2 fract log log2 pow sign sin sinh tan tanh'.split(
    ' ',
  ),
);

/** `name(args)` for a builtin function of WGSL. Throws SubsetError for one that is not in the subset. */
export function callBuiltin(
  values: Values,
  name: string,
  args: readonly Value[],
  library: LibraryCall,
): Value {
  if (Object.hasOwn(intrinsics, name)) return intrinsics[name](values, args, library);
  if (libraryNames.has(name)) return perComponent(values, name, alike(values, args), library);
  throw new SubsetError(`function ${name} is not in the subset of WGSL for the CPU target`);
}

/** The library has floats and vec4s of them; a shorter vector is done by component. */
function perComponent(values: Values, name: string, args: readonly Value[], library: LibraryCall): Value {
  const typed = args.map((arg) => floats(values, arg));
  const [{ type }] = typed;
  if (type.kind === 'vector' && type.width < 4) {
    const parts = typed[0].leaves.map((_, i) => {
      const part = typed.map((arg) => values.of(f32, [arg.leaves[i]], arg.depth));
      return library(name, part);
    });
    return values.of(
      type,
      parts.map(({ leaves }) => leaves[0]),
      deepest(typed),
    );
  }
  return library(name, typed);
}

/** The bits of a number or vector as another kind of number. */
export function bitcast(values: Values, value: Value, to: Type): Value {
  const { module } = values.builder;
  const [from, of] = [componentsOf(value.type), componentsOf(to)];
  if (value.leaves.length !== 1 || isWide(value) !== (to.kind === 'vector' && to.width === 4)) {
    throw new SubsetError(`bitcast of ${nameOf(value.type)} to ${nameOf(to)}`);
  }
  if (isWide(value) || (from !== 'f32' && of !== 'f32')) return values.of(to, value.leaves, value.depth);
  const typed = settled(values, value, of === 'f32' ? 'u32' : 'f32');
  if (from === of) return typed;
  return values.computed(scalar(of), value.depth, () =>
    of === 'f32' ? module.f32.reinterpret(values.write(typed)) : module.i32.reinterpret(values.write(typed)),
  );
}
