import * as ast from 'wgsl_reflect/wgsl_reflect.module.js';
import { SubsetError } from './errors.js';
import type { Translator } from './translator.js';
import type { Value } from './values.js';

/** Whether a statement contains a `return`, which leaves the function from inside. */
export function returns(node: ast.Statement | readonly ast.Statement[]): boolean {
  if (Array.isArray(node)) return node.some((one: ast.Statement) => returns(one));
  if (node instanceof ast.Return) return true;
  if (node instanceof ast.If) {
    const others = [...(node.elseif ?? []).map(({ body }) => body), node.else ?? []];
    return returns(node.body) || others.some((body) => returns(body));
  }
  if (node instanceof ast.For || node instanceof ast.While || node instanceof ast.Loop)
    return returns(node.body);
  return false;
}

/** `return value;`: as the function's value where it ends with it, else through locals. */
export function leave(t: Translator, value: Value | undefined): void {
  const { exit } = t;
  if (exit === undefined) throw new SubsetError('return outside a function');
  if (value !== undefined && exit.locals.length === 0) {
    exit.value = t.values.keep(value);
    return;
  }
  if (value !== undefined) {
    const kept = value.leaves.length > 1 ? t.values.keep(value) : value;
    exit.locals.forEach((local, i) => t.builder.set(local, kept.leaves[i].make()));
  }
  t.builder.emit(t.builder.module.br(exit.label));
}
