import binaryen from 'binaryen';
import type { Register } from './types.js';

/** An expression of WebAssembly: a node that may stand in one place only. */
export type Ref = number;

/** The code of one WebAssembly function as it is written: its locals and the statements of the block at hand. */
export class Builder {
  private readonly locals: Register[];
  private labels = 0;
  private statements: Ref[] = [];
  /** Loops around the code that is being written. */
  loopDepth = 0;

  constructor(
    readonly module: binaryen.Module,
    readonly parameters: readonly Register[],
  ) {
    this.locals = [...parameters];
  }

  /** A new local. */
  local(register: Register): number {
    this.locals.push(register);
    return this.locals.length - 1;
  }

  label(prefix: string): string {
    return `${prefix}${this.labels++}`;
  }

  get(local: number): Ref {
    return this.module.local.get(local, wasmType(this.locals[local]));
  }

  set(local: number, value: Ref): void {
    this.emit(this.module.local.set(local, value));
  }

  emit(statement: Ref): void {
    this.statements.push(statement);
  }

  /** Where the next statement will stand, for `emitAt`. */
  get position(): number {
    return this.statements.length;
  }

  /** The block that is written now. */
  get current(): readonly Ref[] {
    return this.statements;
  }

  /** Takes the last statements back. */
  drop(count: number): void {
    this.statements.length -= count;
  }

  /** Inserts a statement before those written since `position`. */
  emitAt(position: number, statement: Ref): void {
    this.statements.splice(position, 0, statement);
  }

  /** What `write` emits, as statements of a block of their own. */
  collect(write: () => void): Ref[] {
    const outside = this.statements;
    const inside: Ref[] = [];
    this.statements = inside;
    write();
    this.statements = outside;
    return inside;
  }

  block(write: () => void, label: string | null = null): Ref {
    return this.module.block(label as string, this.collect(write));
  }

  /** Writes an endless loop around `write`, which leaves it by itself; `label` goes on with it. */
  loop(label: string, write: () => void): void {
    this.loopDepth++;
    const body = this.block(write);
    this.loopDepth--;
    this.emit(this.module.loop(label, body));
  }

  /** Makes the function. */
  finish(name: string, result: Register | null, body: Ref): void {
    const added = this.locals.slice(this.parameters.length).map(wasmType);
    const parameters = binaryen.createType(this.parameters.map(wasmType));
    this.module.addFunction(
      name,
      parameters,
      result === null ? binaryen.none : wasmType(result),
      added,
      body,
    );
  }
}

export function wasmType(register: Register): binaryen.Type {
  if (register === 'v128') return binaryen.v128;
  return register === 'f32' ? binaryen.f32 : binaryen.i32;
}
