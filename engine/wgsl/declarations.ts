import * as ast from 'wgsl_reflect/wgsl_reflect.module.js';
import { KernelError } from '../kernel.js';
import { walk } from './analysis.js';
import { SubsetError } from './errors.js';
import { reservedWordIn } from './reserved.js';
import { Scope, type Declarations } from './scope.js';
import { typeOf } from './types.js';

/** Buffers and functions of shaders/<name>.wgsl. Throws KernelError with file and line for what is not in the subset. */
export function declarationsOf(name: string, source: string): Declarations {
  const at = (line: number) => `${name}.wgsl:${line}`;
  checkText(source, at);
  const nodes = parsed(source, at);
  const constants = new Set(nodes.flatMap((node) => (node instanceof ast.Const ? [node.name] : [])));
  const buffers = new Scope();
  const functions = new Map<string, ast.Function>();
  for (const node of nodes) {
    try {
      if (node instanceof ast.Function) functions.set(node.name, node);
      if (node instanceof ast.Function) checkNames(node, constants);
      if (node instanceof ast.Override) buffers.declare(node.name, { kind: 'override' });
      if (node instanceof ast.Var) buffers.declare(node.name, { kind: 'buffer', type: bufferType(node) });
    } catch (error) {
      throw new KernelError(`${at(node.line)}: ${(error as Error).message}`);
    }
  }
  return { buffers, functions };
}

function bufferType({ storage, type }: ast.Var) {
  if ((storage !== 'storage' && storage !== 'uniform') || type === null) {
    throw new SubsetError(`var${storage ? `<${storage}>` : ''} is not in the subset for the CPU target`);
  }
  return typeOf(type);
}

/** wgsl_reflect takes every name of a constant of the file for that constant, whatever stands nearer. */
function checkNames({ args, body }: ast.Function, constants: ReadonlySet<string>): void {
  const check = (name: string) => {
    if (constants.has(name)) throw new SubsetError(`${name} is already a constant of the file; rename one`);
  };
  for (const { name } of args) check(name);
  walk(body, (node) => {
    if (node instanceof ast.Var || node instanceof ast.Let || node instanceof ast.Const) check(node.name);
  });
}

function parsed(source: string, at: (line: number) => string): ast.Node[] {
  try {
    return new ast.WgslParser().parse(source);
  } catch (error) {
    const { message } = error as Error;
    const line = /Line: (\d+)/.exec(message)?.[1] ?? '1';
    throw new KernelError(`${at(Number(line))}: ${message.replace(/\.*\s*Line: \d+.*$/s, '')}`);
  }
}

/** What wgsl_reflect reads wrongly, takes though WGSL does not, or never comes back from. */
function checkText(source: string, at: (line: number) => string): void {
  const text = source.replace(/\/\*[^]*?\*\/|\/\/.*/g, (comment) => comment.replace(/[^\n]/g, ' '));
  const lineOf = (index: number) => text.slice(0, index).split('\n').length;
  const kept = reservedWordIn(text);
  if (kept !== undefined) {
    throw new KernelError(`${at(lineOf(kept.index))}: ${kept.word} is a reserved word of WGSL; rename it`);
  }
  const float = /\b0[xX][\da-fA-F]*\.?[\da-fA-F]*[pP]|\b0[xX][\da-fA-F]*\.|\B\.[\da-fA-F]+[pP]/.exec(text);
  if (float !== null) {
    throw new KernelError(
      `${at(lineOf(float.index))}: hexadecimal floats are not in the subset; write decimals`,
    );
  }
  const functions = [...text.matchAll(/\bfn\s+(\w+)[^{]*\{([^]*?)(?=\bfn\s|$)/g)];
  const calls = new Map(
    functions.map(([, name, body]) => [
      name,
      [...body.matchAll(/\b(\w+)\s*\(/g)].map(([, called]) => called),
    ]),
  );
  for (const { 1: name, index } of functions) {
    if (reaches(calls, name, name, new Set())) {
      throw new KernelError(`${at(lineOf(index))}: ${name} calls itself`);
    }
  }
}

function reaches(
  calls: ReadonlyMap<string, readonly string[]>,
  from: string,
  to: string,
  seen: Set<string>,
): boolean {
  if (seen.has(from)) return false;
  seen.add(from);
  return (calls.get(from) ?? []).some((called) => called === to || reaches(calls, called, to, seen));
}
