import type binaryen from 'binaryen';
import type { Ref } from './builder.js';
import { SubsetError } from './errors.js';
import { bool, nameOf, scalar, vector, type ScalarName, type Type, type VectorType } from './types.js';
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

/** An integer literal as what it stands beside; other values as they are. */
export function settled(values: Values, value: Value, of: ScalarName): Value {
  if (value.type.kind !== 'scalar' || value.type.of !== 'int') return value;
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
  if (componentsOf(x.type) !== componentsOf(y.type)) {
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

function fold(operator: string, a: number, b: number): number | undefined {
  if (operator === '+') return a + b;
  if (operator === '-') return a - b;
  if (operator === '*') return a * b;
  return operator === '/' && b !== 0 ? Math.trunc(a / b) : undefined;
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

function shifted(values: Values, operator: string, a: Value, b: Value): Value {
  const { module } = values.builder;
  const of = componentsOf(a.type);
  const by = settled(values, b, 'u32');
  const wide = a.type.kind === 'vector' && a.type.width === 4;
  const constant = by.constant;
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
  if (operator === '<<' || operator === '>>') return shifted(values, operator, a, b);
  if (componentsOf(a.type) === 'int' && componentsOf(b.type) === 'int') {
    const folded = fold(operator, a.constant ?? 0, b.constant ?? 0);
    if (folded !== undefined) return values.constant('int', folded);
  }
  const [x, y, type] = matched(values, a, b);
  if (isInteger(type) && x.sum !== undefined && y.sum !== undefined) {
    const sum = sumOf(operator, x.sum, y.sum);
    if (sum !== undefined) return values.fromSum(type, sum);
  }
  const wide = type.kind === 'vector' && type.width === 4;
  const apply = instruction(values.builder.module, operator, componentsOf(type), wide ? 4 : 1);
  const result = comparisons.includes(operator)
    ? type.kind === 'vector'
      ? vector('bool', type.width)
      : bool
    : type;
  return lanewise(values, result, x, y, apply);
}

/** `-a`, `!a`, `~a`. */
export function unary(values: Values, operator: string, a: Value): Value {
  const { module } = values.builder;
  const { type } = a;
  const of = componentsOf(type);
  if (operator === '-' && of === 'int') return values.constant('int', -(a.constant ?? 0));
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
    if (operator === '-') return wide ? module.f32x4.neg(ref) : module.f32.neg(ref);
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
  if (from === 'int') return values.constant(to, value.constant ?? 0);
  const result = type.kind === 'vector' ? vector(to, type.width) : scalar(to);
  if (from === to) return value;
  if (to === 'bool') return binary(values, '!=', value, settled(values, values.constant('int', 0), from));
  const wide = type.kind === 'vector' && type.width === 4;
  if (isInteger(type) && isInteger(result) && value.sum !== undefined) return { ...value, type: result };
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
