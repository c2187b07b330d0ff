import * as ast from 'wgsl_reflect/wgsl_reflect.module.js';
import { assigns, mentions, ownCalls, walk } from './analysis.js';
import type { Ref } from './builder.js';
import type { Translator } from './translator.js';
import { registersOf, type Type } from './types.js';

/** Registers for floats and vectors that V8 gives out, but one, for what is between two instructions. */
const registers = 14;
/** Loads that stay together: a test for each would cost more than it saves. */
const fewestLoads = 2;

const floatsOf = (type: Type): number => registersOf(type).filter((one) => one !== 'i32').length;

const nodesOf = (code: ast.Node | readonly ast.Node[]): ast.Node[] => {
  const nodes: ast.Node[] = [];
  walk(code, (node) => nodes.push(node));
  return nodes;
};

/** Floats and vectors that a statement loads, in the functions that it calls too. */
function loadsOf(t: Translator, code: ast.Node | readonly ast.Node[]): number {
  const nodes = nodesOf(code);
  const stored = nodes.map((node) =>
    node instanceof ast.Assign && node.operator === '=' ? node.variable : 0,
  );
  const loads = nodes.map((node) => {
    const loaded = node instanceof ast.VariableExpr && !stored.includes(node);
    const meaning = loaded ? t.declarations.buffers.known(node.name) : undefined;
    return meaning?.kind === 'buffer' && meaning.type.kind === 'array' ? floatsOf(meaning.type.of) : 0;
  });
  const calls = ownCalls(t, code).map(({ body }) => loadsOf(t, body));
  return [...loads, ...calls].reduce((sum, one) => sum + one, 0);
}

/**
 * Where the body of a straight loop needs a test that is never true: V8 moves all loads of a block to its beginning, and
 * keeps on the stack what is too much for its registers.
 */
export class Pressure {
  private readonly loads: readonly number[];
  /** Registers of variables that go from round to round. */
  private readonly held: number;
  /** What was loaded since the last test, and what is still needed of before it. */
  private loaded = 0;
  private carried = 0;
  private tests = 0;

  constructor(
    private readonly t: Translator,
    private readonly body: readonly ast.Statement[],
    /** A number of rounds, or of what they count. */
    private readonly left: () => Ref,
  ) {
    this.loads = body.map((one) => loadsOf(t, one));
    const names = nodesOf(body).map((node) => (node instanceof ast.VariableExpr ? node.name : ''));
    const own = body.map((one) => (one instanceof ast.Let || one instanceof ast.Var ? one.name : ''));
    const outer = [...new Set(names)].filter((name) => !own.includes(name) && assigns(body, name));
    this.held = outer.reduce((sum, name) => sum + this.registersOf(name), 0);
  }

  private registersOf(name: string): number {
    const meaning = this.t.scope.known(name);
    if (meaning?.kind === 'value') return floatsOf(meaning.value.type);
    return meaning?.kind === 'variable' ? floatsOf(meaning.variable.type) : 0;
  }

  /** A round begins, behind a test. */
  begin(): void {
    this.loaded = 0;
    this.carried = 0;
  }

  /** Whether a test belongs before statement `at` of the body. */
  isHigh(at: number): boolean {
    const wanted = this.loads[at];
    const high = this.held + this.carried + this.loaded + wanted > registers;
    if (wanted === 0 || !high || this.loaded < fewestLoads) {
      this.loaded += wanted;
      return false;
    }
    this.carried = this.kept(at);
    this.loaded = wanted;
    return true;
  }

  /** Registers of what was named before statement `at` and is used from there on. */
  private kept(at: number): number {
    const named = this.body.slice(0, at).filter((one): one is ast.Let => one instanceof ast.Let);
    const used = named.filter(({ name }) => mentions(this.body.slice(at), name));
    return used.reduce((sum, { name }) => sum + this.registersOf(name), 0);
  }

  /** A test that V8 does not know to be false: no loop has as many rounds left. */
  never(): Ref {
    const { i32 } = this.t.builder.module;
    return i32.eq(this.left(), i32.const(--this.tests));
  }
}
