import * as ast from 'wgsl_reflect/wgsl_reflect.module.js';
import { SubsetError } from './errors.js';
import { bitcast, callBuiltin } from './intrinsics.js';
import type { Place } from './memory.js';
import { binary, converted, settled, unary } from './operators.js';
import type { Variable } from './scope.js';
import type { Translator } from './translator.js';
import { bool, nameOf, registersOf, typeOf, u32, type StructType, type Type } from './types.js';
import { deepest, isSimple, type Value } from './values.js';
import { componentsOf, constructVector, indexed, swizzle, zero } from './vectors.js';

/** What a variable in registers holds now. */
export function valueOf(t: Translator, { type, locals }: Variable): Value {
  return t.values.locals(type, locals, t.builder.loopDepth, false);
}

/** The value of an expression. Statements that it needs first (calls, values used twice) are emitted. */
export function expression(t: Translator, node: ast.Expression): Value {
  if (node instanceof ast.VariableExpr) return variable(t, node);
  let value = withoutPostfix(t, node);
  for (let step = node.postfix; step !== null; step = step.postfix) value = accessed(t, value, step);
  return value;
}

function withoutPostfix(t: Translator, node: ast.Expression): Value {
  if (node instanceof ast.LiteralExpr) return literal(t, node);
  if (node instanceof ast.ConstExpr) return expression(t, node.initializer);
  if (node instanceof ast.UnaryOperator) return unary(t.values, node.operator, expression(t, node.right));
  if (node instanceof ast.BinaryOperator) return operation(t, node);
  if (node instanceof ast.CreateExpr || node instanceof ast.TypecastExpr) return construction(t, node);
  if (node instanceof ast.CallExpr) return call(t, node.name, node.args ?? []);
  if (node instanceof ast.BitcastExpr && node.type !== null) {
    return bitcast(t.values, expression(t, node.value), typeOf(node.type));
  }
  throw new SubsetError(
    `${node.astNodeType || 'this expression'} is not in the subset of WGSL for the CPU target`,
  );
}

function literal(t: Translator, node: ast.LiteralExpr): Value {
  const type = typeOf(node.type);
  if (type.kind === 'vector' && node.value instanceof ast.VectorData) {
    const numbers = Array.from(node.value.data, (number) => t.values.constant(type.of, number));
    return constructVector(t.values, type, numbers);
  }
  if (type.kind !== 'scalar') throw new SubsetError(`a constant of ${nameOf(type)} is not in the subset`);
  return t.values.constant(type.of, node.scalarValue);
}

/** The values in order; one that a later one's statements might change is computed before them. */
export function expressions(t: Translator, nodes: readonly ast.Expression[]): Value[] {
  const done: { value: Value; before: number }[] = [];
  for (const node of nodes) {
    const position = t.builder.position;
    const value = expression(t, node);
    if (t.builder.position > position) {
      for (const one of done) if (!isSimple(one.value)) one.value = t.values.keepAt(position, one.value);
    }
    done.push({ value, before: position });
  }
  return done.map(({ value }) => value);
}

function operation(t: Translator, node: ast.BinaryOperator): Value {
  if (node.operator === '&&' || node.operator === '||') return shortCircuit(t, node);
  const [a, b] = expressions(t, [node.left, node.right]);
  return binary(t.values, node.operator, a, b);
}

/** The right side is looked at only if the left one does not decide. */
function shortCircuit(t: Translator, { operator, left, right }: ast.BinaryOperator): Value {
  const { module } = t.builder;
  const first = as(t, expression(t, left), bool);
  let depth = first.depth;
  const result = t.builder.local('i32');
  const otherwise = t.builder.block(() => {
    const second = as(t, expression(t, right), bool);
    depth = deepest([first, second]);
    t.builder.set(result, t.values.write(second));
  });
  t.builder.set(result, t.values.write(first));
  const decided = operator === '&&' ? t.builder.get(result) : module.i32.eqz(t.builder.get(result));
  t.builder.emit(module.if(decided, otherwise));
  return t.values.locals(bool, [result], depth, true);
}

function construction(t: Translator, { type: node, args }: ast.CreateExpr | ast.TypecastExpr): Value {
  if (node === null) throw new SubsetError('a value without a type');
  const type = typeOf(node);
  const parts = expressions(t, args ?? []);
  if (parts.length === 0) return zero(t.values, type);
  if (type.kind === 'vector') return constructVector(t.values, type, parts);
  if (type.kind === 'scalar') return converted(t.values, parts[0], type.of);
  const types = type.kind === 'struct' ? type.members.map((one) => one.type) : parts.map(() => type.of);
  if (types.length !== parts.length) throw new SubsetError(`${nameOf(type)} of ${parts.length} parts`);
  const leaves = parts.flatMap((part, i) => as(t, part, types[i]).leaves);
  return t.values.of(type, leaves, deepest(parts));
}

/** The value as the type that is wanted: an integer literal typed. Throws SubsetError if it is another. */
export function as(t: Translator, value: Value, type: Type): Value {
  if (type.kind === 'scalar' && type.of === 'int') return value;
  const typed = type.kind === 'scalar' ? settled(t.values, value, type.of) : value;
  if (nameOf(typed.type) !== nameOf(type)) {
    throw new SubsetError(`${nameOf(value.type)} is given where ${nameOf(type)} is wanted`);
  }
  return typed;
}

/** A call of a function of the file, or else of a builtin one. */
export function call(t: Translator, name: string, args: readonly ast.Expression[]): Value {
  if (name === 'arrayLength') return arrayLength(t, args[0]);
  const values = expressions(t, args);
  const own = t.declarations.functions.get(name);
  return own === undefined ? callBuiltin(t.values, name, values, t.library) : t.rules.inline(t, own, values);
}

function arrayLength(t: Translator, node: ast.Expression): Value {
  const inner = node instanceof ast.UnaryOperator ? node.right : node;
  const place = inner instanceof ast.VariableExpr ? placeOf(t, inner) : undefined;
  if (place === undefined || t.memory === undefined) throw new SubsetError('arrayLength wants a buffer');
  return t.memory.arrayLength(place.place);
}

/** The place in a buffer that a path of members and indices leads to, and what is left of the path. */
export function placeOf(
  t: Translator,
  node: ast.VariableExpr,
): { readonly place: Place; readonly rest: ast.Expression | null } | undefined {
  const meaning = t.scope.find(node.name);
  const { memory } = t;
  if (memory === undefined) return undefined;
  if (meaning.kind === 'override') {
    const dims = t.scope.find('dims');
    if (dims.kind !== 'buffer') throw new SubsetError(`override ${node.name} wants a uniform named dims`);
    return { place: memory.member(memory.whole(memory.variable('dims', dims.type)), node.name), rest: null };
  }
  if (meaning.kind !== 'buffer') return undefined;
  let place = memory.whole(memory.variable(node.name, meaning.type));
  let step = node.postfix;
  for (; step !== null; step = step.postfix) {
    const next = nextPlace(t, place, step);
    if (next === undefined) break;
    place = next;
  }
  return { place, rest: step };
}

function nextPlace(t: Translator, place: Place, step: ast.Expression): Place | undefined {
  const { memory } = t;
  if (memory === undefined) return undefined;
  if (step instanceof ast.ArrayIndex) {
    let index = t.values.constant('u32', 0);
    const code = t.builder.collect(() => (index = settled(t.values, expression(t, step.index), 'u32')));
    if (place.type.kind === 'vector' && index.constant === undefined) return undefined;
    for (const statement of code) t.builder.emit(statement);
    return memory.element(place, index);
  }
  const name = (step as ast.StringExpr).value;
  if (place.type.kind === 'struct') return memory.member(place, name);
  if (place.type.kind !== 'vector' || name.length > 1) return undefined;
  const [component] = componentsOf(name, place.type.width);
  return memory.element(place, t.values.constant('u32', component));
}

function variable(t: Translator, node: ast.VariableExpr): Value {
  const found = placeOf(t, node);
  const meaning = t.scope.find(node.name);
  let value: Value;
  let step: ast.Expression | null;
  if (found !== undefined && t.memory !== undefined) {
    value = t.memory.load(found.place);
    step = found.rest;
  } else {
    if (meaning.kind === 'buffer' || meaning.kind === 'override')
      throw new SubsetError(`${node.name} is in a buffer, which this function has not`);
    value = meaning.kind === 'value' ? meaning.value : valueOf(t, meaning.variable);
    step = node.postfix;
  }
  for (; step !== null; step = step.postfix) value = accessed(t, value, step);
  return value;
}

/** `value.member`, `value.xy`, `value[index]`. */
function accessed(t: Translator, value: Value, step: ast.Expression): Value {
  if (step instanceof ast.ArrayIndex) {
    const position = t.builder.position;
    const index = settled(t.values, expression(t, step.index), u32.of);
    const kept = t.builder.position > position && !isSimple(value) ? t.values.keepAt(position, value) : value;
    return indexed(t.values, kept, index);
  }
  const name = (step as ast.StringExpr).value;
  if (value.type.kind !== 'struct') return swizzle(t.values, value, name);
  const { from, type } = memberOf(value.type, name);
  return t.values.part(value, type, from);
}

/** A member of a struct in registers: its type, and the first of its registers. */
export function memberOf(struct: StructType, name: string): { readonly type: Type; readonly from: number } {
  let from = 0;
  for (const member of struct.members) {
    if (member.name === name) return { type: member.type, from };
    from += registersOf(member.type).length;
  }
  throw new SubsetError(`${struct.name} has no member ${name}`);
}
