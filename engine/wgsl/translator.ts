import type * as ast from 'wgsl_reflect/wgsl_reflect.module.js';
import type { Builder } from './builder.js';
import type { LibraryCall } from './intrinsics.js';
import type { Memory } from './memory.js';
import type { Declarations, Scope } from './scope.js';
import type { Type } from './types.js';
import { Values, type Value } from './values.js';

/** Where `return` goes: the label behind the function's code, and the locals for what it returns. */
export interface Exit {
  readonly label: string;
  readonly locals: readonly number[];
  /** Of what the function returns; null for nothing. */
  readonly type: Type | null;
  value?: Value;
}

/** Where `break` and `continue` go. */
export interface LoopExits {
  readonly leave: string;
  readonly next: string;
}

/** What expressions, statements and loops need of each other, given here because they contain each other. */
export interface Rules {
  /** Inlines a call of a function of the file. */
  readonly inline: (t: Translator, node: ast.Function, args: readonly Value[]) => Value;
  /** Writes statements in the scope at hand. */
  readonly statements: (t: Translator, nodes: readonly ast.Statement[]) => void;
}

/** The state of translating one function of WGSL, with those that it calls, into one of WebAssembly. */
export class Translator {
  readonly values: Values;
  /** Absent in functions of the library, which have no buffers. */
  readonly memory: Memory | undefined;
  scope: Scope;
  exit: Exit | undefined;
  readonly loops: LoopExits[] = [];
  /** Line of the statement at hand, for messages. */
  line = 0;

  constructor(
    readonly builder: Builder,
    readonly declarations: Declarations,
    readonly library: LibraryCall,
    readonly rules: Rules,
    memoryOf?: (values: Values) => Memory,
  ) {
    this.values = new Values(builder);
    this.memory = memoryOf?.(this.values);
    this.scope = declarations.buffers;
  }

  /** Runs `write` with the names of an inner block. */
  within(scope: Scope, write: () => void): void {
    const outside = this.scope;
    this.scope = scope;
    write();
    this.scope = outside;
  }
}
