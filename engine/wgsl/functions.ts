import * as ast from 'wgsl_reflect/wgsl_reflect.module.js';
import { SubsetError } from './errors.js';
import { as } from './expressions.js';
import { Scope } from './scope.js';
import { returns } from './returns.js';
import type { Exit, Translator } from './translator.js';
import { registersOf, typeOf, type Type } from './types.js';
import { isSimple, type Value } from './values.js';

/** Inlines a call of a function of the file. Throws SubsetError for arguments of other types. */
export function callFunction(t: Translator, node: ast.Function, args: readonly Value[]): Value {
  if (args.length !== node.args.length) {
    throw new SubsetError(`${node.name} has ${node.args.length} parameters, but is given ${args.length}`);
  }
  const scope = new Scope(t.declarations.buffers);
  node.args.forEach(({ name, type }, i) => {
    const value = as(t, args[i], typeOf(type));
    scope.declare(name, { kind: 'value', value: isSimple(value) ? value : t.values.keep(value) });
  });
  const outside = { exit: t.exit, line: t.line };
  const result = node.returnType === null ? null : typeOf(node.returnType);
  const value = inlined(t, node, scope, result);
  t.exit = outside.exit;
  t.line = outside.line;
  return value;
}

function inlined(t: Translator, { name, body }: ast.Function, scope: Scope, result: Type | null): Value {
  const last = body[body.length - 1];
  const direct = result !== null && last instanceof ast.Return && !returns(body.slice(0, -1));
  const registers = result === null ? [] : registersOf(result);
  const exit: Exit = {
    label: t.builder.label(name),
    type: result,
    locals: direct ? [] : registers.map((register) => t.builder.local(register)),
  };
  t.exit = exit;
  if (direct || !returns(body)) {
    t.within(scope, () => t.rules.statements(t, body));
    return exit.value ?? t.values.constant('int', 0);
  }
  t.builder.emit(t.builder.block(() => t.within(scope, () => t.rules.statements(t, body)), exit.label));
  return result === null
    ? t.values.constant('int', 0)
    : t.values.locals(result, exit.locals, t.builder.loopDepth, true);
}
