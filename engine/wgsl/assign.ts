import * as ast from 'wgsl_reflect/wgsl_reflect.module.js';
import { SubsetError } from './errors.js';
import { as, expression, expressions, memberOf, placeOf, valueOf } from './expressions.js';
import type { Place } from './memory.js';
import { binary, settled } from './operators.js';
import type { Variable } from './scope.js';
import type { Translator } from './translator.js';
import { nameOf, registersOf, scalar, type Type, type VectorType } from './types.js';
import { isSimple, type Leaf, type Value } from './values.js';
import { componentsOf, constructVector, indexed, lane, selectAt, withLane } from './vectors.js';

/** `target = value`, `target += value`, `target++`. */
export function assign(t: Translator, node: ast.Assign | ast.Increment): void {
  const { variable: target } = node;
  if (!(target instanceof ast.VariableExpr)) throw new SubsetError('this is not assigned to');
  const operator = String(node.operator);
  if (target.name === '_' && node instanceof ast.Assign) return void t.values.keep(expression(t, node.value));
  const found = placeOf(t, target);
  if (found !== undefined) return assignPlace(t, found, operator, node);
  const meaning = t.scope.find(target.name);
  if (meaning.kind !== 'variable') throw new SubsetError(`${target.name} cannot be assigned to`);
  assignVariable(t, meaning.variable, target.postfix, operator, node);
}

/** What is assigned, given what the target holds. */
function assigned(
  t: Translator,
  current: () => Value,
  operator: string,
  node: ast.Assign | ast.Increment,
): Value {
  if (node instanceof ast.Increment) {
    return binary(t.values, operator[0], current(), t.values.constant('int', 1));
  }
  if (operator === '=') return expression(t, node.value);
  const before = current();
  const position = t.builder.position;
  const value = expression(t, node.value);
  const changes = t.builder.position > position && !isSimple(before);
  return binary(t.values, operator.slice(0, -1), changes ? t.values.keepAt(position, before) : before, value);
}

function assignPlace(
  t: Translator,
  { place, rest }: { readonly place: Place; readonly rest: ast.Expression | null },
  operator: string,
  node: ast.Assign | ast.Increment,
): void {
  const { memory } = t;
  if (rest !== null || memory === undefined) throw new SubsetError('a swizzle is not assigned to');
  const position = t.builder.position;
  let target = place;
  const current = () => memory.load(target);
  if (operator !== '=') target = memory.keep(place);
  const value = as(t, assigned(t, current, operator, node), place.type);
  if (operator === '=' && t.builder.position > position && place.index !== undefined) {
    const stores = t.builder.collect(() => (target = memory.keep(place)));
    stores.forEach((store, i) => t.builder.emitAt(position + i, store));
  }
  memory.store(target, value.leaves.length > 1 ? t.values.keep(value) : value);
}

function assignVariable(
  t: Translator,
  variable: Variable,
  path: ast.Expression | null,
  operator: string,
  node: ast.Assign | ast.Increment,
): void {
  if (path === null) {
    const value = as(
      t,
      assigned(t, () => valueOf(t, variable), operator, node),
      variable.type,
    );
    return setLocals(t, variable.locals, value);
  }
  const indices = path instanceof ast.ArrayIndex ? expressions(t, [path.index]) : [];
  const index = indices.map((one) => t.values.keep(settled(t.values, one, 'u32')));
  if (variable.type.kind === 'vector') return assignComponent(t, variable, path, index[0], operator, node);
  const { type, from } = partOf(variable, path, index[0]);
  const count = registersOf(type).length;
  if (from !== undefined) {
    const part: Variable = { type, locals: variable.locals.slice(from, from + count) };
    return assignVariable(t, part, path.postfix, operator, node);
  }
  if (path.postfix !== null)
    throw new SubsetError('a part of an element chosen while running is not assigned to');
  const current = () => indexed(t.values, valueOf(t, variable), index[0]);
  const value = t.values.keep(as(t, assigned(t, current, operator, node), type));
  for (let at = 0; at * count < variable.locals.length; at++) {
    setWhere(t, index[0], at, variable.locals.slice(at * count, (at + 1) * count), value);
  }
}

/** The registers of a member or of an element; `from` is absent if the index is known only while running. */
function partOf(
  { type }: Variable,
  path: ast.Expression,
  index: Value | undefined,
): { readonly type: Type; readonly from?: number } {
  if (type.kind === 'struct' && path instanceof ast.StringExpr) return memberOf(type, path.value);
  if (type.kind !== 'array' || index === undefined) throw new SubsetError(`${nameOf(type)} has no such part`);
  if (index.constant === undefined) return { type: type.of };
  if (index.constant >= type.count) throw new SubsetError(`element ${index.constant} of ${nameOf(type)}`);
  return { type: type.of, from: index.constant * registersOf(type.of).length };
}

function assignComponent(
  t: Translator,
  variable: Variable,
  path: ast.Expression,
  index: Value | undefined,
  operator: string,
  node: ast.Assign | ast.Increment,
): void {
  const type = variable.type as VectorType;
  const named = path instanceof ast.StringExpr ? componentsOf(path.value, type.width) : [index?.constant];
  if (named.length > 1 || path.postfix !== null) throw new SubsetError('a swizzle is not assigned to');
  const [at] = named;
  const vector = () => valueOf(t, variable);
  if (at !== undefined) {
    const current = () => lane(t.values, vector(), at);
    const component = as(t, assigned(t, current, operator, node), scalar(type.of));
    return setLocals(t, variable.locals, withLane(t.values, vector(), at, component));
  }
  if (index === undefined) throw new SubsetError(`${nameOf(type)} has no such part`);
  const current = () => indexed(t.values, vector(), index);
  const component = t.values.keep(as(t, assigned(t, current, operator, node), scalar(type.of)));
  const lanes = Array.from({ length: type.width }, (_, i) =>
    selectAt(t.values, index, i, component, lane(t.values, vector(), i)),
  );
  setLocals(t, variable.locals, constructVector(t.values, type, lanes));
}

function setLocals(t: Translator, locals: readonly number[], value: Value): void {
  // All parts before any is assigned: they may read each other's variables.
  const kept = locals.length > 1 ? t.values.keep(value) : value;
  locals.forEach((local, i) => t.builder.set(local, kept.leaves[i].make()));
}

function setWhere(t: Translator, index: Value, at: number, locals: readonly number[], value: Value): void {
  const { module } = t.builder;
  locals.forEach((local, i) => {
    const here = module.i32.eq(t.values.write(index), module.i32.const(at));
    const leaf: Leaf = value.leaves[i];
    t.builder.set(local, module.select(here, leaf.make(), t.builder.get(local)));
  });
}
