import type { Kernel } from '../kernel.js';
import { wasmType, type Builder, type Ref } from './builder.js';
import { SubsetError } from './errors.js';
import {
  nameOf,
  registersOf,
  strideOf,
  u32,
  type ArrayType,
  type Register,
  type StructType,
  type Type,
} from './types.js';
import type { Address, Leaf, Sum, Value, Values, Word } from './values.js';
import { LaneStores } from './words.js';

/** A buffer that an entry point is given: a `var<storage>`, or the `var<uniform>` whose bytes are in the record. */
export interface BufferVariable {
  readonly name: string;
  readonly binding: number;
  readonly type: Type;
  readonly writable: boolean;
  /** Local with its address. */
  readonly base: number;
  /** Byte in the record where its length stands; undefined for dims. */
  readonly lengthAt?: number;
}

/** Something in a buffer: what an index or a member leads to. */
export interface Place {
  readonly variable: BufferVariable;
  readonly type: Type;
  /** Bytes from the base. */
  readonly offset: number;
  /** Elements of `stride` bytes beyond it. */
  readonly index?: { readonly sum: Sum; readonly stride: number; readonly depth: number };
}

/** What an entry point tells of its accesses to storage buffers. */
export interface Watch {
  /** Stop at an index outside its buffer, by env.fail. */
  readonly checked?: boolean;
  /** Tell env.access(address, bytes, whether it is a store) of every access; it returns the address. */
  readonly traced?: boolean;
}

/** Bytes of the record before the dims: the numbers of workgroups, padded. */
const recordHeader = 16;

/** Loads and stores of an entry point. What holds for the whole call is loaded by `prologue`, before everything. */
export class Memory {
  private readonly variables = new Map<string, BufferVariable>();
  private readonly constants = new Map<string, Value>();
  private readonly lengths = new Map<string, number>();
  readonly prologue: Ref[] = [];
  private readonly lanes: LaneStores;

  constructor(
    private readonly values: Values,
    private readonly kernel: Kernel,
    /** Local with the record's address. */
    private readonly record: number,
    private readonly watch: Watch,
  ) {
    this.lanes = new LaneStores(values.builder);
  }

  private get builder(): Builder {
    return this.values.builder;
  }

  /** A local that the prologue sets. */
  private early(register: Register, make: () => Ref): number {
    const local = this.builder.local(register);
    this.prologue.push(this.builder.module.local.set(local, make()));
    return local;
  }

  private fromRecord(byte: number): number {
    const { module } = this.builder;
    return this.early('i32', () => module.i32.load(byte, 4, this.builder.get(this.record)));
  }

  /** The buffer bound as `name`. */
  variable(name: string, type: Type): BufferVariable {
    const known = this.variables.get(name);
    if (known !== undefined) return known;
    const made = this.bind(name, type);
    this.variables.set(name, made);
    return made;
  }

  private bind(name: string, type: Type): BufferVariable {
    const { storage, dims } = this.kernel;
    const at = storage.findIndex((one) => one.name === name);
    const { module } = this.builder;
    if (at === -1) {
      const make = () => module.i32.add(this.builder.get(this.record), module.i32.const(recordHeader));
      return { name, binding: dims?.binding ?? 0, type, writable: false, base: this.early('i32', make) };
    }
    const byte = recordHeader + (dims?.bytes ?? 0) + 8 * at;
    const { binding, writable } = storage[at];
    return { name, binding, type, writable, base: this.fromRecord(byte), lengthAt: byte + 4 };
  }

  /** The whole of a buffer. */
  whole(variable: BufferVariable): Place {
    return { variable, type: variable.type, offset: 0 };
  }

  member(place: Place, name: string): Place {
    const found = (place.type as StructType).members.find((one) => one.name === name);
    if (found === undefined) throw new SubsetError(`${nameOf(place.type)} has no member ${name}`);
    return { ...place, type: found.type, offset: place.offset + found.offset };
  }

  element(place: Place, index: Value): Place {
    const { type, variable } = place;
    if (type.kind === 'vector') return this.lane(place, index);
    if (type.kind !== 'array') throw new SubsetError(`${nameOf(type)} has no elements`);
    const stride = strideOf(type);
    if (place.index !== undefined)
      throw new SubsetError(`${variable.name}: arrays of arrays are not in the subset`);
    const inside = this.watch.checked ? this.check(place, index, stride) : index;
    if (inside.sum === undefined) throw new SubsetError(`${variable.name}: an index is a whole number`);
    return {
      variable,
      type: type.of,
      offset: place.offset,
      index: { sum: inside.sum, stride, depth: inside.depth },
    };
  }

  private lane(place: Place, index: Value): Place {
    if (index.constant === undefined) throw new SubsetError('a component in memory is chosen by a constant');
    const { of } = place.type as { of: 'f32' };
    return { ...place, type: { kind: 'scalar', of }, offset: place.offset + 4 * index.constant };
  }

  /** Calls env.fail unless the index is inside; the index, computed once. */
  private check(place: Place, index: Value, stride: number): Value {
    const { module } = this.builder;
    const local = this.builder.local('i32');
    this.builder.set(local, this.values.write(index));
    const kept = this.values.locals(u32, [local], index.depth, true);
    const { count } = place.type as ArrayType;
    const length = count > 0 ? module.i32.const(count) : this.builder.get(this.length(place, stride));
    const outside = module.i32.ge_u(this.builder.get(local), length);
    const fail = module.call('fail', [module.i32.const(place.variable.binding), this.builder.get(local)], 0);
    this.builder.emit(module.if(outside, fail));
    return kept;
  }

  /** Elements that fit, in a local. */
  private length({ variable, offset }: Place, stride: number): number {
    const key = `${variable.name}:${offset}:${stride}`;
    const known = this.lengths.get(key);
    if (known !== undefined) return known;
    const { i32 } = this.builder.module;
    const bytes = () => i32.load(variable.lengthAt ?? 0, 4, this.builder.get(this.record));
    const made = this.early('i32', () => i32.div_u(i32.sub(bytes(), i32.const(offset)), i32.const(stride)));
    this.lengths.set(key, made);
    return made;
  }

  /** Elements of the array at the end of a buffer: `arrayLength`. */
  arrayLength(place: Place): Value {
    if (place.type.kind !== 'array') throw new SubsetError('arrayLength wants an array');
    return this.values.locals(u32, [this.length(place, strideOf(place.type))], 0, true);
  }

  /** `splat` for a load into all lanes. */
  private address({ variable, offset, index }: Place, splat = false): Address {
    const base = () => this.builder.get(variable.base);
    if (index === undefined) return { offset, ptr: base };
    const { sum, stride } = index;
    const walk = this.values.walks?.find(variable.base, sum, stride, offset, splat);
    if (walk !== undefined) return walk;
    const constant = sum.plus * stride;
    if (sum.subtracted || constant + offset > 2 ** 30) {
      return { offset, ptr: () => this.values.writeSum(sum, stride, base()) };
    }
    const rest: Sum = { ...sum, plus: 0 };
    return { offset: offset + constant, ptr: () => this.values.writeSum(rest, stride, base()) };
  }

  /** The address of a register that is loaded or stored now. */
  private reach(place: Place, register: Register, stores: boolean, splat = false): Address {
    const at = this.address(place, splat);
    if (!this.watch.traced || place.variable.lengthAt === undefined) return at;
    const { module } = this.builder;
    const { i32 } = module;
    const [bytes, how] = [i32.const(register === 'v128' ? 16 : 4), i32.const(stores ? 1 : 0)];
    const address = () => i32.add(at.ptr(), i32.const(at.offset));
    return { offset: 0, ptr: () => module.call('access', [address(), bytes, how], wasmType('i32')) };
  }

  /** The place with its pointer in a local, so that it may be loaded from and stored to. */
  keep(place: Place): Place {
    if (place.index === undefined || place.index.sum.terms.every(({ leaf }) => leaf.simple)) return place;
    const { ptr, offset } = this.address(place);
    const base = this.builder.local('i32');
    this.builder.set(base, ptr());
    return { variable: { ...place.variable, base }, type: place.type, offset };
  }

  /** What stands there. A struct's member that nothing writes is loaded once in a call. */
  load(place: Place): Value {
    const { variable, index, type } = place;
    const registers = registersOf(type);
    if (
      index === undefined &&
      !variable.writable &&
      registers.length === 1 &&
      this.variables.get(variable.name) === variable
    ) {
      return this.constant(place, registers[0]);
    }
    const depth = variable.writable ? this.builder.loopDepth : (index?.depth ?? 0);
    if (registers.length === 1) return this.values.of(type, [this.loaded(place, registers[0])], depth);
    const kept = this.keep(place);
    return this.values.of(
      type,
      this.parts(kept).map((part) => this.loaded(part, registersOf(part.type)[0])),
      depth,
    );
  }

  private constant(place: Place, register: Register): Value {
    const key = `${place.variable.name}:${place.offset}:${register}`;
    const known = this.constants.get(key);
    if (known !== undefined) return known;
    const local = this.early(register, this.loaded(place, register).make);
    const value = this.values.locals(place.type, [local], 0, true);
    this.constants.set(key, value);
    return value;
  }

  private loaded(place: Place, register: Register): Leaf {
    const { module } = this.builder;
    const load = (splat = false): Ref => {
      const { offset, ptr } = this.reach(place, register, false, splat);
      const set = register === 'v128' ? module.v128 : module[register];
      return splat ? module.v128.load32_splat(offset, 4, ptr()) : set.load(offset, 4, ptr());
    };
    const leaf: Leaf = { make: () => load(), simple: false, stable: true };
    return register === 'f32' ? { ...leaf, loadSplat: () => load(true), word: this.word(place) } : leaf;
  }

  /** Where a float of an array stands. */
  private word(place: Place): Word | undefined {
    const { variable, offset, index } = place;
    if (index === undefined || index.sum.subtracted) return undefined;
    const { sum, stride } = index;
    const loadFour = () => this.loaded(place, 'v128').make();
    const storeFour = (vector: Ref) => this.stored(place, 'v128', vector);
    return {
      base: variable.base,
      terms: sum.terms,
      stride,
      at: sum.plus * stride + offset,
      loadFour,
      storeFour,
    };
  }

  /** The places of the registers of a struct or short vector. */
  private parts(place: Place): Place[] {
    const { type } = place;
    if (type.kind === 'scalar' || (type.kind === 'vector' && type.width === 4)) return [place];
    if (type.kind === 'vector') {
      return Array.from({ length: type.width }, (_, i) => this.lane(place, this.values.constant('u32', i)));
    }
    if (type.kind === 'struct')
      return type.members.flatMap(({ name }) => this.parts(this.member(place, name)));
    throw new SubsetError(`${nameOf(type)} is not loaded as a whole`);
  }

  private stored(place: Place, register: Register, value: Ref): Ref {
    const { module } = this.builder;
    const { offset, ptr } = this.reach(place, register, true);
    const set = register === 'v128' ? module.v128 : module[register];
    return set.store(offset, 4, ptr(), value);
  }

  store(place: Place, value: Value): void {
    if (!place.variable.writable) throw new SubsetError(`${place.variable.name} is read only`);
    const kept = value.leaves.length > 1 ? this.keep(place) : place;
    this.parts(kept).forEach((part, i) => {
      this.builder.emit(this.stored(part, registersOf(part.type)[0], value.leaves[i].make()));
    });
    const [{ lane }] = value.leaves;
    // What is not simple is computed wherever it is used: its lanes come from copies.
    const word = lane?.of.simple ? this.word(place) : undefined;
    const first = lane && word && this.lanes.complete(word, lane);
    if (lane === undefined || first === undefined) return;
    this.builder.drop(4);
    this.builder.emit(first.storeFour(lane.of.make()));
  }
}
