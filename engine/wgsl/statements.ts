import * as ast from 'wgsl_reflect/wgsl_reflect.module.js';
import { assign } from './assign.js';
import { SubsetError } from './errors.js';
import { as, call, expression } from './expressions.js';
import { forLoop, whileLoop } from './loops.js';
import { settled } from './operators.js';
import { leave } from './returns.js';
import { Scope } from './scope.js';
import type { Translator } from './translator.js';
import { bool, registersOf, typeOf } from './types.js';
import { zero } from './vectors.js';

/** Writes statements, in the scope at hand. */
export function statements(t: Translator, nodes: readonly ast.Statement[]): void {
  for (const node of nodes) {
    if (node.line > 0) t.line = node.line;
    statement(t, node);
  }
}

const inner = (t: Translator, nodes: readonly ast.Statement[]) =>
  t.within(new Scope(t.scope), () => statements(t, nodes));

function statement(t: Translator, node: ast.Statement | readonly ast.Statement[]): void {
  if (Array.isArray(node)) return inner(t, node as readonly ast.Statement[]);
  if (node instanceof ast.Var) return declareVariable(t, node);
  if (node instanceof ast.Let || node instanceof ast.Const) return declareValue(t, node);
  if (node instanceof ast.Assign || node instanceof ast.Increment) return assign(t, node);
  if (node instanceof ast.If) return condition(t, node);
  if (node instanceof ast.For) return forLoop(t, node);
  if (node instanceof ast.While) return whileLoop(t, node.condition, node.body);
  if (node instanceof ast.Loop && node.continuing === null) return whileLoop(t, null, node.body);
  if (node instanceof ast.Return) return leave(t, returned(t, node));
  if (node instanceof ast.Break || node instanceof ast.Continue) return jump(t, node);
  if (node instanceof ast.Call) return void call(t, node.name, node.args);
  throw new SubsetError(`${(node as ast.Node).astNodeType} is not in the subset of WGSL for the CPU target`);
}

/** wgsl_reflect gives a bare `return` an empty value. */
function returned(t: Translator, { value }: ast.Return) {
  const bare = value instanceof ast.CreateExpr && value.type === null;
  if (value === null || bare) return undefined;
  const type = t.exit?.type ?? undefined;
  if (type === undefined) throw new SubsetError('a value is returned from a function that has none');
  return as(t, expression(t, value), type);
}

function declareVariable(t: Translator, node: ast.Var): void {
  const value = node.value === null ? undefined : expression(t, node.value);
  if (node.type === null && value === undefined) throw new SubsetError(`var ${node.name} has no type`);
  const typed = value === undefined ? undefined : settled(t.values, value, 'i32');
  const type = node.type === null ? typed?.type : typeOf(node.type);
  if (type === undefined) throw new SubsetError(`var ${node.name} has no type`);
  const start = value === undefined ? zero(t.values, type) : as(t, value, type);
  const locals = registersOf(type).map((register) => t.builder.local(register));
  locals.forEach((local, i) => t.builder.set(local, start.leaves[i].make()));
  t.scope.declare(node.name, { kind: 'variable', variable: { type, locals } });
}

function declareValue(t: Translator, node: ast.Let | ast.Const): void {
  if (node.value === null) throw new SubsetError(`${node.name} has no value`);
  const value = expression(t, node.value);
  const typed = node.type === null ? value : as(t, value, typeOf(node.type));
  const constant = node instanceof ast.Const;
  const kept = constant ? typed : t.values.keep(settled(t.values, typed, 'i32'));
  t.scope.declare(node.name, { kind: 'value', value: kept });
}

function condition(t: Translator, node: ast.If): void {
  const { module } = t.builder;
  const tests = [{ condition: node.condition, body: node.body }, ...(node.elseif ?? [])];
  const write = (at: number): void => {
    const test = t.values.write(as(t, expression(t, tests[at].condition), bool));
    const yes = t.builder.block(() => inner(t, tests[at].body));
    const others =
      at + 1 < tests.length ? () => write(at + 1) : node.else && (() => inner(t, node.else ?? []));
    t.builder.emit(others ? module.if(test, yes, t.builder.block(others)) : module.if(test, yes));
  };
  write(0);
}

function jump(t: Translator, node: ast.Break | ast.Continue): void {
  const loop = t.loops[t.loops.length - 1];
  if (loop === undefined) throw new SubsetError('break or continue outside a loop');
  t.builder.emit(t.builder.module.br(node instanceof ast.Break ? loop.leave : loop.next));
}
