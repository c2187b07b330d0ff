import type * as ast from 'wgsl_reflect/wgsl_reflect.module.js';
import { SubsetError } from './errors.js';
import type { Type } from './types.js';
import type { Value } from './values.js';

/** A `var` in registers. */
export interface Variable {
  readonly type: Type;
  readonly locals: readonly number[];
}

/** What a name stands for. */
export type Meaning =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'variable'; readonly variable: Variable }
  | { readonly kind: 'buffer'; readonly type: Type }
  /** A constant of a GPU's pipeline; here the member of dims that has its name (Kernel.overrides). */
  | { readonly kind: 'override' };

/** Names of a block, and of those around it. */
export class Scope {
  private readonly names = new Map<string, Meaning>();

  constructor(private readonly outer?: Scope) {}

  declare(name: string, meaning: Meaning): void {
    this.names.set(name, meaning);
  }

  /** What a name stands for; undefined for an unknown one. */
  known(name: string): Meaning | undefined {
    return this.names.get(name) ?? this.outer?.known(name);
  }

  /** Throws SubsetError for an unknown name. */
  find(name: string): Meaning {
    const found = this.known(name);
    if (found === undefined) throw new SubsetError(`unknown name ${name}`);
    return found;
  }
}

/** What a WGSL file declares. */
export interface Declarations {
  readonly buffers: Scope;
  readonly functions: ReadonlyMap<string, ast.Function>;
}
