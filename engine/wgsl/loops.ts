import * as ast from 'wgsl_reflect/wgsl_reflect.module.js';
import { assigns, isFixed, jumps, mentions } from './analysis.js';
import { as, expression } from './expressions.js';
import { binary, settled } from './operators.js';
import { round, rounds, times, type CountedLoop } from './rounds.js';
import { Scope } from './scope.js';
import type { Translator } from './translator.js';
import { bool, typeOf } from './types.js';
import { isInteger } from './values.js';

/** Loops of a known, small number of rounds are written out: their counter is then a constant. */
const mostRounds = 8;

/** What a counted loop consists of, before anything is evaluated. */
export interface CountedParts {
  readonly name: string;
  /** Absent if the start says it. */
  readonly type: ast.Type | null;
  readonly start: ast.Expression;
  readonly bound: ast.Expression;
  /** Absent for ++. */
  readonly step: ast.Expression | null;
}

const isName = (node: ast.Node, name: string) =>
  node instanceof ast.VariableExpr && node.name === name && node.postfix === null;

/** The parts of a loop that counts up to a bound; undefined for any other loop. */
export function countedParts({ init, condition, increment }: ast.For): CountedParts | undefined {
  if (!(init instanceof ast.Var) || init.value === null) return undefined;
  const { name, type, value: start } = init;
  if (!(condition instanceof ast.BinaryOperator) || condition.operator !== '<') return undefined;
  if (!isName(condition.left, name)) return undefined;
  if (mentions(condition.right, name) || (increment instanceof ast.Assign && mentions(increment.value, name)))
    return undefined;
  const bound = condition.right;
  if (
    increment instanceof ast.Increment &&
    String(increment.operator) === '++' &&
    isName(increment.variable, name)
  ) {
    return { name, type, start, bound, step: null };
  }
  const adds = increment instanceof ast.Assign && String(increment.operator) === '+=';
  if (!adds || !isName(increment.variable, name)) return undefined;
  return { name, type, start, bound, step: increment.value };
}

/** The loop with its bounds evaluated; undefined if it is none that counts whole numbers up. */
function counted(t: Translator, node: ast.For): CountedLoop | undefined {
  const parts = countedParts(node);
  if (parts === undefined || assigns(node.body, parts.name)) return undefined;
  const { name } = parts;
  if (!isFixed(t, parts.bound, node.body) || !isFixed(t, parts.step, node.body)) return undefined;
  let start = t.values.constant('int', 0);
  const code = t.builder.collect(() => {
    const first = expression(t, parts.start);
    start = parts.type === null ? settled(t.values, first, 'i32') : as(t, first, typeOf(parts.type));
  });
  const { type } = start;
  if (type.kind !== 'scalar' || !isInteger(type)) return undefined;
  for (const statement of code) t.builder.emit(statement);
  const bound = t.values.keep(as(t, expression(t, parts.bound), type));
  const one = t.values.constant(type.of, 1);
  const step = parts.step === null ? one : t.values.keep(as(t, expression(t, parts.step), type));
  return { name, start, bound, step, body: node.body };
}

/** Writes a `for` loop. */
export function forLoop(t: Translator, node: ast.For): void {
  t.within(new Scope(t.scope), () => {
    const loop = counted(t, node);
    if (loop !== undefined) return countedLoop(t, loop);
    if (node.init !== null) t.rules.statements(t, [node.init]);
    whileLoop(t, node.condition, node.body, node.increment);
  });
}

/** Writes a loop that counts up. */
export function countedLoop(t: Translator, loop: CountedLoop): void {
  const count = roundsOf(loop);
  if (count !== undefined && count <= mostRounds && !jumps(loop.body)) {
    for (let i = 0; i < count; i++) round(t, loop, binary(t.values, '+', loop.start, times(t, loop.step, i)));
    return;
  }
  rounds(t, loop);
}

function roundsOf({ start, bound, step }: CountedLoop): number | undefined {
  const { constant: from } = start;
  const { constant: to } = bound;
  const { constant: by } = step;
  if (from === undefined || to === undefined || by === undefined || by <= 0) return undefined;
  return Math.max(0, Math.ceil((to - from) / by));
}

/** Writes `while (condition) body`, or an endless loop; `increment` runs after every round. */
export function whileLoop(
  t: Translator,
  condition: ast.Expression | null,
  body: readonly ast.Statement[],
  increment: ast.Statement | null = null,
): void {
  const { module } = t.builder;
  const [leave, next, top] = ['leave', 'next', 'top'].map((name) => t.builder.label(name));
  const write = () => {
    if (condition !== null) {
      const goesOn = t.values.write(as(t, expression(t, condition), bool));
      t.builder.emit(module.br(leave, module.i32.eqz(goesOn)));
    }
    t.loops.push({ leave, next });
    const rest = () => t.within(new Scope(t.scope), () => t.rules.statements(t, body));
    t.builder.emit(t.builder.block(rest, next));
    t.loops.pop();
    if (increment !== null) t.rules.statements(t, [increment]);
    t.builder.emit(module.br(top));
  };
  t.builder.emit(t.builder.block(() => t.builder.loop(top, write), leave));
}
