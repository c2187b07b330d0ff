import type { Builder, Ref } from './builder.js';
import { SubsetError } from './errors.js';
import { nameOf, registersOf, scalar, type Register, type ScalarName, type Type } from './types.js';

/** One register's worth of a value. */
export interface Leaf {
  /** Writes it; only once unless it is simple. */
  readonly make: () => Ref;
  /** A constant or a local: costs nothing, may be written any number of times. */
  readonly simple: boolean;
  /** Stays what it is: false for variables. */
  readonly stable: boolean;
  /** Loops around where its local was set; absent if that is before all of them. */
  readonly since?: number;
  /** For a float in memory: loads it into all four lanes. */
  readonly loadSplat?: () => Ref;
  readonly word?: Word;
  readonly lane?: Lane;
}

/** Where a float stands in memory: base + Σ terms · stride + at bytes. */
export interface Word {
  /** Local with the address of the buffer. */
  readonly base: number;
  readonly terms: readonly Term[];
  readonly stride: number;
  readonly at: number;
  /** It and the three behind it, loaded, and stored. */
  readonly loadFour: () => Ref;
  readonly storeFour: (vector: Ref) => Ref;
}

/** Which component of which vec4 a value is. */
export interface Lane {
  readonly of: Leaf;
  readonly at: number;
}

/** Of a comparison of two vec4s of floats: what is less than what, in WGSL's < or >. */
export interface Less {
  readonly low: Value;
  readonly high: Value;
}

/** scale · leaf, varying in the loops down to `depth` only. */
export interface Term {
  readonly leaf: Leaf;
  readonly scale: number;
  readonly depth: number;
}

/**
 * An integer, kept as a sum as long as possible: addresses are sums, of which what a loop does not change is added
 * before it, and constants go into the instruction. Arithmetic is modulo 2³², as WGSL's.
 */
export interface Sum {
  readonly terms: readonly Term[];
  readonly plus: number;
  /** Something was subtracted, so a part of the sum may be below zero. */
  readonly subtracted: boolean;
}

/** A value of WGSL: its registers, or for 32-bit integers a sum. */
export interface Value {
  readonly type: Type;
  /** Loops in which it may vary: 0 for one that is the same in the whole call. */
  readonly depth: number;
  readonly leaves: readonly Leaf[];
  readonly sum?: Sum;
  /** Of a number known beforehand, or of a vec4 that has it in all lanes. */
  readonly constant?: number;
  readonly less?: Less;
}

export const isInteger = ({ kind, of }: { kind: string; of?: unknown }) =>
  kind === 'scalar' && (of === 'u32' || of === 'i32');

const constantSum = (plus: number): Sum => ({ terms: [], plus: plus >>> 0, subtracted: false });

/** Divisions of a counter that need no dividing: see divisions.ts. */
export interface DividedCounter {
  find(operator: string, divisor: Value): Value | undefined;
}

/** Where a register is in memory: the instruction adds `offset`, without wrapping around. */
export interface Address {
  readonly offset: number;
  readonly ptr: () => Ref;
}

/** Pointers that walk along with a counter: see walks.ts. */
export interface AddressWalks {
  find(base: number, sum: Sum, stride: number, offset: number, splat: boolean): Address | undefined;
}

/** Code that makes values; they all belong to the function that `builder` writes. */
export class Values {
  /** Counters of the loops at hand, whose divisions are carried along. */
  readonly divided = new Map<Value, DividedCounter>();
  /** Of the loop at hand, if its rounds are repeated. */
  walks: AddressWalks | undefined;

  constructor(readonly builder: Builder) {}

  /** A number of the type, of an integer its last 32 bits. */
  constant(of: ScalarName, number: number): Value {
    const { module } = this.builder;
    const type = scalar(of);
    const value = of === 'u32' ? number >>> 0 : of === 'i32' ? number | 0 : number;
    const make = () => (of === 'f32' ? module.f32.const(value) : module.i32.const(value | 0));
    const leaf: Leaf = { make, simple: true, stable: true };
    const sum = isInteger(type) ? constantSum(value) : undefined;
    return { type, depth: 0, leaves: [leaf], sum, constant: value };
  }

  /** The value of locals. */
  locals(type: Type, locals: readonly number[], depth: number, stable: boolean): Value {
    const leaves = locals.map((local): Leaf => ({
      make: () => this.builder.get(local),
      simple: true,
      stable,
    }));
    return this.of(type, leaves, depth);
  }

  /** A value of ready registers. */
  of(type: Type, leaves: readonly Leaf[], depth: number): Value {
    const sum: Sum | undefined = isInteger(type)
      ? { terms: [{ leaf: leaves[0], scale: 1, depth }], plus: 0, subtracted: false }
      : undefined;
    return { type, depth, leaves, sum };
  }

  /** What `make` computes, in one register. */
  computed(type: Type, depth: number, make: () => Ref): Value {
    return this.of(type, [{ make, simple: false, stable: true }], depth);
  }

  fromSum(type: Type, sum: Sum): Value {
    if (sum.terms.length === 0) return this.constant((type as { of: ScalarName }).of, sum.plus);
    const [first] = sum.terms;
    if (sum.terms.length === 1 && sum.plus === 0 && first.scale === 1) {
      return { type, depth: first.depth, leaves: [first.leaf], sum };
    }
    const simple = false;
    const leaf: Leaf = { make: () => this.writeSum(sum), simple, stable: true };
    return { type, depth: Math.max(...sum.terms.map(({ depth }) => depth)), leaves: [leaf], sum };
  }

  /**
   * base + (Σ scale · term + plus) · stride. What varies in fewer loops is added first, so that it can be moved out of
   * the others.
   */
  writeSum({ terms, plus }: Sum, stride = 1, base?: Ref): Ref {
    const { i32 } = this.builder.module;
    const constant = Math.imul(plus, stride);
    const depths = [...new Set(terms.map(({ depth }) => depth))].sort((a, b) => a - b);
    const parts = depths.map((depth) =>
      this.writeGroup(
        terms.filter((term) => term.depth === depth),
        stride,
      ),
    );
    if (constant !== 0) parts.unshift(i32.const(constant));
    if (base !== undefined) parts.unshift(base);
    return parts.length === 0 ? i32.const(0) : parts.reduce((a, b) => i32.add(a, b));
  }

  private writeGroup(terms: readonly Term[], stride: number): Ref {
    const { i32 } = this.builder.module;
    const [{ scale }] = terms;
    const common = terms.every((term) => term.scale === scale) ? scale : 1;
    const written = terms.map((term) =>
      this.scaled(term.leaf.make(), term.scale === common ? 1 : term.scale),
    );
    return this.scaled(
      written.reduce((a, b) => i32.add(a, b)),
      Math.imul(common, stride),
    );
  }

  private scaled(ref: Ref, factor: number): Ref {
    const { i32 } = this.builder.module;
    if (factor === 1) return ref;
    const shift = 31 - Math.clz32(factor);
    if (factor > 0 && factor === 1 << shift) return i32.shl(ref, i32.const(shift));
    return i32.mul(ref, i32.const(factor));
  }

  /** The one register of a scalar or vec4. */
  write(value: Value): Ref {
    if (value.leaves.length !== 1) {
      throw new SubsetError(`${nameOf(value.type)} is used where one number or vec4 is needed`);
    }
    return value.leaves[0].make();
  }

  /** The same value in locals of its own, so that it may be used again and stays as it is. */
  keep(value: Value): Value {
    if (value.sum !== undefined) return this.keepSum(value, value.sum);
    if (value.leaves.every(({ simple, stable }) => simple && stable)) return value;
    const registers = registersOf(value.type);
    const leaves = value.leaves.map((leaf, i) =>
      leaf.simple && leaf.stable ? leaf : this.stored(leaf, registers[i]),
    );
    return { ...value, leaves };
  }

  /** A constant is left outside the local: it may still go into an address. */
  private keepSum(value: Value, { terms, plus, subtracted }: Sum): Value {
    if (terms.length === 0) return value;
    const [{ leaf, scale }] = terms;
    if (terms.length === 1 && scale === 1 && leaf.simple && leaf.stable) return value;
    const whole: Leaf = {
      make: () => this.writeSum({ terms, plus: 0, subtracted }),
      simple: false,
      stable: true,
    };
    const kept: Term = { leaf: this.stored(whole, 'i32'), scale: 1, depth: value.depth };
    return this.fromSum(value.type, { terms: [kept], plus, subtracted });
  }

  private stored(leaf: Leaf, register: Register): Leaf {
    const local = this.builder.local(register);
    this.builder.set(local, leaf.make());
    const since = this.builder.loopDepth;
    return { make: () => this.builder.get(local), simple: true, stable: true, since };
  }

  /** Like keep, but before the statements written since `position`, which may change what the value reads. */
  keepAt(position: number, value: Value): Value {
    let kept = value;
    const stores = this.builder.collect(() => (kept = this.keep(value)));
    stores.forEach((store, i) => this.builder.emitAt(position + i, store));
    return kept;
  }

  /** Part `from` … `from + count − 1` of the registers. */
  part(value: Value, type: Type, from: number): Value {
    return this.of(type, value.leaves.slice(from, from + registersOf(type).length), value.depth);
  }
}

/** Whether a value can be written any number of times. */
export const isSimple = ({ leaves, sum }: Value): boolean =>
  sum === undefined ? leaves.every(({ simple }) => simple) : sum.terms.every(({ leaf }) => leaf.simple);

export const deepest = (values: readonly Value[]): number => Math.max(0, ...values.map(({ depth }) => depth));
