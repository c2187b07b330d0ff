import * as ast from 'wgsl_reflect/wgsl_reflect.module.js';
import type { Translator } from './translator.js';

type Code = ast.Node | readonly ast.Node[] | null | undefined;

/** Visits every node of the code, types left out. */
export function walk(code: Code, visit: (node: ast.Node) => void): void {
  if (code === null || code === undefined) return;
  if (Array.isArray(code)) return code.forEach((one: ast.Node) => walk(one, visit));
  const node = code as ast.Node;
  visit(node);
  for (const part of Object.values(node) as unknown[]) {
    const isCode = part instanceof ast.Node ? !(part instanceof ast.Type) : Array.isArray(part);
    if (isCode) walk(part as Code, visit);
  }
}

function some(code: Code, test: (node: ast.Node) => boolean): boolean {
  let found = false;
  walk(code, (node) => (found ||= test(node)));
  return found;
}

/** Whether the code assigns to a variable of this name. */
export const assigns = (code: Code, name: string): boolean =>
  some(
    code,
    (node) =>
      (node instanceof ast.Assign || node instanceof ast.Increment) &&
      node.variable instanceof ast.VariableExpr &&
      node.variable.name === name,
  );

/** Whether the code reads or assigns a variable of this name. */
export const mentions = (code: Code, name: string): boolean =>
  some(code, (node) => node instanceof ast.VariableExpr && node.name === name);

export const jumps = (code: Code): boolean =>
  some(code, (node) => node instanceof ast.Break || node instanceof ast.Continue);

/** Whether a `break` in the body of a loop leaves that loop, and not one inside it. */
export function breaks(node: ast.Statement | readonly ast.Statement[]): boolean {
  if (Array.isArray(node)) return node.some((one: ast.Statement) => breaks(one));
  if (node instanceof ast.Break) return true;
  if (!(node instanceof ast.If)) return false;
  const others = [...(node.elseif ?? []).map(({ body }) => body), node.else ?? []];
  return breaks(node.body) || others.some((body) => breaks(body));
}

const branches = [ast.For, ast.While, ast.Loop, ast.If, ast.Switch, ast.Break, ast.Continue, ast.Return];

/** The functions of the file that the code calls. */
export function ownCalls(t: Translator, code: Code): ast.Function[] {
  const found: ast.Function[] = [];
  walk(code, (node) => {
    const name = node instanceof ast.CallExpr || node instanceof ast.Call ? node.name : '';
    const own = t.declarations.functions.get(name);
    if (own !== undefined) found.push(own);
  });
  return found;
}

/** The body without the `return` that it may end with. */
const beforeReturn = ({ body }: ast.Function): ast.Statement[] =>
  body[body.length - 1] instanceof ast.Return ? body.slice(0, -1) : body;

/** Whether the code runs from top to bottom, in the functions that it calls too. */
export function isStraight(t: Translator, code: Code): boolean {
  if (some(code, (node) => branches.some((kind) => node instanceof kind))) return false;
  return ownCalls(t, code).every((own) => isStraight(t, beforeReturn(own)));
}

/** Nodes of the code with those of the functions that it calls: how long it gets. */
export function weight(t: Translator, code: Code): number {
  let nodes = 0;
  walk(code, () => nodes++);
  return ownCalls(t, code).reduce((sum, own) => sum + weight(t, own.body), nodes);
}

/**
 * Whether an expression stays the same while `code` runs: made of constants, values, variables that the code leaves
 * alone, what is in read-only buffers, and functions of such things.
 */
export function isFixed(
  t: Translator,
  expression: Code,
  code: Code,
  locals: readonly string[] = [],
): boolean {
  const changing = some(expression, (node) => {
    if (!(node instanceof ast.VariableExpr) || locals.includes(node.name)) return false;
    const meaning = t.scope.find(node.name);
    if (meaning.kind === 'variable') return assigns(code, node.name);
    return meaning.kind === 'buffer' && t.memory?.variable(node.name, meaning.type).writable === true;
  });
  return !changing && ownCalls(t, expression).every((own) => isFixedFunction(t, own, code));
}

function isFixedFunction(t: Translator, { args, body }: ast.Function, code: Code): boolean {
  const lets = body.filter((node): node is ast.Let => node instanceof ast.Let);
  const names = [...args, ...lets].map(({ name }) => name);
  const plain = body.every((node) => node instanceof ast.Let || node instanceof ast.Return);
  return plain && isFixed(t, body, code, names);
}
