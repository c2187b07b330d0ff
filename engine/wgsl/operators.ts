import type binaryen from 'binaryen';
import type { Ref } from './builder.js';
import { SubsetError } from './errors.js';
import {
  bool,
  nameOf,
  registersOf,
  scalar,
  vector,
  type ScalarName,
  type Type,
  type VectorType,
} from './types.js';
import { deepest, isInteger, type Leaf, type Sum, type Value, type Values } from './values.js';

type Module = binaryen.Module;
type Binary = (a: Ref, b: Ref) => Ref;

const comparisons = ['==', '!=', '<', '<=', '>', '>='];
const scalarNames: Readonly<Record<string, string>> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '&': 'and',
  '|': 'or',
  '^': 'xor',
  '==': 'eq',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
  '/': 'div',
  '%': 'rem',
  '<<': 'shl',
  '>>': 'shr',
};
/** Of integers these differ for i32 and u32. */
const signed = ['<', '<=', '>', '>=', '/', '%', '>>'];

/** The instruction of an operator on two registers. Throws SubsetError if there is none. */
function instruction(module: Module, operator: string, of: ScalarName, lanes: 1 | 4): Binary {
  const suffix = of !== 'f32' && signed.includes(operator) ? (of === 'i32' ? '_s' : '_u') : '';
  const bitwise = lanes === 4 && ['&', '|', '^'].includes(operator);
  const set = bitwise ? 'v128' : `${of === 'f32' ? 'f32' : 'i32'}${lanes === 4 ? 'x4' : ''}`;
  const name = `${scalarNames[operator]}${suffix}`;
  const found = (module as unknown as Record<string, Record<string, Binary | undefined>>)[set][name];
  if (found === undefined) {
    throw new SubsetError(
      `operator ${operator} on ${lanes === 4 ? 'vectors' : 'numbers'} of ${of} is not in the subset`,
    );
  }
  return (a, b) => found(a, b);
}

const componentsOf = (type: Type): ScalarName => {
  if (type.kind === 'scalar' || type.kind === 'vector') return type.of;
  throw new SubsetError(`${nameOf(type)} is no number and no vector`);
};

/** An integer literal as the number that it stands beside; other values as they are. */
export function settled(values: Values, value: Value, of: ScalarName): Value {
  if (value.type.kind !== 'scalar' || value.type.of !== 'int' || of === 'bool') return value;
  return values.constant(of === 'int' ? 'i32' : of, value.constant ?? 0);
}

/** A scalar repeated over the lanes of a vector. */
export function splat(values: Values, value: Value, type: VectorType): Value {
  const { module } = values.builder;
  const one = settled(values, value, type.of);
  if (type.width !== 4) {
    const kept = values.keep(one);
    return values.of(type, new Array<Leaf>(type.width).fill(kept.leaves[0]), one.depth);
  }
  return values.computed(type, one.depth, () => {
    if (type.of === 'bool') return module.i32x4.splat(module.i32.sub(module.i32.const(0), values.write(one)));
    if (type.of !== 'f32') return module.i32x4.splat(values.write(one));
    return one.leaves[0].loadSplat?.() ?? module.f32x4.splat(values.write(one));
  });
}

/** Both operands as the type that the operator works on: literals typed, scalars repeated. */
function matched(values: Values, a: Value, b: Value): [Value, Value, Type] {
  const of = componentsOf(a.type) === 'int' ? componentsOf(b.type) : componentsOf(a.type);
  const [x, y] = [settled(values, a, of), settled(values, b, of)];
  const widths = [x.type, y.type].map((type) => (type.kind === 'vector' ? type.width : 1));
  if (componentsOf(x.type) !== componentsOf(y.type) || (widths[0] !== widths[1] && !widths.includes(1))) {
    throw new SubsetError(`${nameOf(a.type)} and ${nameOf(b.type)} do not go together`);
  }
  if (x.type.kind === 'vector' && y.type.kind === 'scalar') return [x, splat(values, y, x.type), x.type];
  if (y.type.kind === 'vector' && x.type.kind === 'scalar') return [splat(values, x, y.type), y, y.type];
  return [x, y, x.type];
}

/** The same instruction on every register of two values of one type. */
export function lanewise(values: Values, result: Type, a: Value, b: Value, apply: Binary): Value {
  const depth = deepest([a, b]);
  const leaves = a.leaves.map((leaf, i): Leaf => ({
    make: () => apply(leaf.make(), b.leaves[i].make()),
    simple: false,
    stable: true,
  }));
  return values.of(result, leaves, depth);
}

const isShift = (operator: string) => operator === '<<' || operator === '>>';

/** Of whole numbers without end: literals have 64 bits, and typed numbers are cut to their 32 after. */
const exact: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '&': (a, b) => a & b,
  '|': (a, b) => a | b,
  '^': (a, b) => a ^ b,
  '<<': (a, b) => a << (b & 63n),
  '>>': (a, b) => a >> (b & 63n),
};

/** `a operator b` of whole numbers that are known beforehand; undefined if they are not. */
function folded(values: Values, operator: string, a: Value, b: Value): Value | undefined {
  if (a.type.kind !== 'scalar' || b.type.kind !== 'scalar' || !Object.hasOwn(exact, operator))
    return undefined;
  if (a.constant === undefined || b.constant === undefined) return undefined;
  const of = a.type.of === 'int' && !isShift(operator) ? b.type.of : a.type.of;
  const alike = isShift(operator) || b.type.of === 'int' || b.type.of === of;
  if (of === 'f32' || of === 'bool' || b.type.of === 'f32' || b.type.of === 'bool' || !alike)
    return undefined;
  if ((operator === '/' || operator === '%') && b.constant === 0) return undefined;
  const by = isShift(operator) && of !== 'int' ? b.constant & 31 : b.constant;
  const result = exact[operator](BigInt(a.constant), BigInt(by));
  return values.constant(of, Number(of === 'int' ? result : BigInt.asIntN(32, result)));
}

/** Sums, and products with constants, of integers. */
function sumOf(operator: string, a: Sum, b: Sum): Sum | undefined {
  const constant = (sum: Sum) => (sum.terms.length === 0 ? sum.plus : undefined);
  const times = ({ terms, plus, subtracted }: Sum, factor: number): Sum => ({
    terms: terms.map((term) => ({ ...term, scale: Math.imul(term.scale, factor) })),
    plus: Math.imul(plus, factor) >>> 0,
    subtracted,
  });
  const subtracted = a.subtracted || b.subtracted || operator === '-';
  if (operator === '+' || operator === '-') {
    const right = operator === '-' ? times(b, -1) : b;
    return { terms: [...a.terms, ...right.terms], plus: (a.plus + right.plus) >>> 0, subtracted };
  }
  if (operator !== '*') return undefined;
  const [left, right] = [constant(a), constant(b)];
  if (right !== undefined) return times(a, right);
  return left === undefined ? undefined : times(b, left);
}

function shifted(values: Values, operator: string, left: Value, b: Value): Value {
  const { module } = values.builder;
  const a = settled(values, left, 'i32');
  const of = componentsOf(a.type);
  const by = settled(values, b, 'u32');
  const wide = a.type.kind === 'vector' && a.type.width === 4;
  const { constant } = by;
  if (
    of === 'bool' ||
    componentsOf(by.type) !== 'u32' ||
    registersOf(by.type).join() !== registersOf(a.type).join()
  ) {
    throw new SubsetError(`${nameOf(a.type)} is not shifted by ${nameOf(b.type)}`);
  }
  if (operator === '<<' && constant !== undefined && a.sum !== undefined) {
    return binary(values, '*', a, values.constant(of, 2 ** (constant & 31)));
  }
  const apply = instruction(module, operator, of, wide ? 4 : 1);
  if (!wide) return lanewise(values, a.type, a, by, apply);
  if (constant === undefined) throw new SubsetError('a vec4 is shifted by one constant for all lanes');
  return values.computed(a.type, a.depth, () => apply(values.write(a), module.i32.const(constant)));
}

/** `a operator b` for everything but && and ||, which do not always look at b. */
export function binary(values: Values, operator: string, a: Value, b: Value): Value {
  const known = folded(values, operator, a, b);
  if (known !== undefined) return known;
  if (isShift(operator)) return shifted(values, operator, a, b);
  const [x, y, type] = matched(values, a, b);
  if (componentsOf(type) === 'bool' && !['&', '|', '==', '!='].includes(operator)) {
    throw new SubsetError(`operator ${operator} is not for bool`);
  }
  if (isInteger(type) && x.sum !== undefined && y.sum !== undefined) {
    const sum = sumOf(operator, x.sum, y.sum);
    if (sum !== undefined) return values.fromSum(type, sum);
  }
  const divided = values.divided.get(x)?.find(operator, y);
  if (divided !== undefined) return divided;
  const wide = type.kind === 'vector' && type.width === 4;
  const apply = instruction(values.builder.module, operator, componentsOf(type), wide ? 4 : 1);
  const result = comparisons.includes(operator)
    ? type.kind === 'vector'
      ? vector('bool', type.width)
      : bool
    : type;
  const written = lanewise(values, result, x, y, apply);
  if (!wide || componentsOf(type) !== 'f32' || !['<', '>'].includes(operator)) return written;
  return { ...written, less: operator === '<' ? { low: x, high: y } : { low: y, high: x } };
}

/** The same 32 bits in every lane. V8 keeps a constant in a register, but makes the masks of f32x4.neg and abs anew. */
export const lanesOf = (module: Module, bits: number): Ref =>
  module.v128.const(new Uint8Array(Uint32Array.of(bits, bits, bits, bits).buffer));

/** `-a`, `!a`, `~a`. */
export function unary(values: Values, operator: string, a: Value): Value {
  const { module } = values.builder;
  const { type } = a;
  const of = componentsOf(type);
  if (!['-', '!', '~'].includes(operator))
    throw new SubsetError('pointers are not in the subset for the CPU target');
  const fits =
    operator === '!' ? of === 'bool' : of !== 'bool' && (operator === '-' ? of !== 'u32' : of !== 'f32');
  if (!fits) throw new SubsetError(`operator ${operator} is not for ${nameOf(type)}`);
  if (of === 'int')
    return values.constant('int', operator === '-' ? -(a.constant ?? 0) : -1 - (a.constant ?? 0));
  if (operator === '-' && type.kind === 'scalar' && of === 'f32' && a.constant !== undefined) {
    return values.constant('f32', -a.constant);
  }
  if (operator === '-' && of !== 'f32') {
    return binary(
      values,
      '-',
      type.kind === 'vector' ? splat(values, values.constant(of, 0), type) : values.constant(of, 0),
      a,
    );
  }
  const wide = type.kind === 'vector' && type.width === 4;
  const apply = (ref: Ref): Ref => {
    if (operator === '-')
      return wide ? module.v128.xor(ref, lanesOf(module, 0x80000000)) : module.f32.neg(ref);
    if (wide) return module.v128.not(ref);
    if (operator === '!') return module.i32.eqz(ref);
    return module.i32.xor(ref, module.i32.const(-1));
  };
  const leaves = a.leaves.map((leaf): Leaf => ({
    make: () => apply(leaf.make()),
    simple: false,
    stable: true,
  }));
  return values.of(type, leaves, a.depth);
}

/** An integer or float as another kind of number: `f32(x)`, `vec4u(x)`. */
export function converted(values: Values, value: Value, to: ScalarName): Value {
  const { module } = values.builder;
  const { type } = value;
  const from = componentsOf(type);
  if (from === 'int')
    return values.constant(to, to === 'bool' ? Number(value.constant !== 0) : (value.constant ?? 0));
  const result = type.kind === 'vector' ? vector(to, type.width) : scalar(to);
  if (from === to) return value;
  if (to === 'bool') return binary(values, '!=', value, settled(values, values.constant('int', 0), from));
  const wide = type.kind === 'vector' && type.width === 4;
  if (isInteger(type) && isInteger(result) && value.sum !== undefined) {
    return value.constant === undefined ? { ...value, type: result } : values.constant(to, value.constant);
  }
  const apply = conversion(module, from, to, wide);
  const leaves = value.leaves.map((leaf): Leaf => ({
    make: () => apply(leaf.make()),
    simple: false,
    stable: true,
  }));
  return values.of(result, leaves, value.depth);
}

function conversion(module: Module, from: ScalarName, to: ScalarName, wide: boolean): (ref: Ref) => Ref {
  const sign = (of: ScalarName) => (of === 'u32' ? 'u' : 's');
  if (wide) {
    if (from === 'bool' && to === 'f32') {
      return (ref) => module.f32x4.convert_i32x4_s(module.i32x4.neg(ref));
    }
    if (from === 'bool') return (ref) => module.i32x4.neg(ref);
    if (to === 'f32') return (ref) => module.f32x4[`convert_i32x4_${sign(from)}`](ref);
    if (from === 'f32') return (ref) => module.i32x4[`trunc_sat_f32x4_${sign(to)}`](ref);
    return (ref) => ref;
  }
  if (to === 'f32') return (ref) => module.f32[`convert_${sign(from)}`].i32(ref);
  if (from === 'f32') return (ref) => module.i32[`trunc_${sign(to)}_sat`].f32(ref);
  return (ref) => ref;
}
