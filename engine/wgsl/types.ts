import * as ast from 'wgsl_reflect/wgsl_reflect.module.js';
import { SubsetError } from './errors.js';

/** 'int' is an integer without a suffix, whose type its use decides. Only constants have it. */
export type ScalarName = 'f32' | 'u32' | 'i32' | 'bool' | 'int';

export interface ScalarType {
  readonly kind: 'scalar';
  readonly of: ScalarName;
}

export interface VectorType {
  readonly kind: 'vector';
  readonly of: ScalarName;
  readonly width: number;
}

export interface ArrayType {
  readonly kind: 'array';
  readonly of: Type;
  /** 0 if the buffer decides. */
  readonly count: number;
}

export interface StructType {
  readonly kind: 'struct';
  readonly name: string;
  readonly members: readonly { readonly name: string; readonly type: Type; readonly offset: number }[];
  /** In bytes, with the attributes of the members. */
  readonly align: number;
  readonly size: number;
}

/** A type of the subset: DESIGN of the CPU target in compile.ts. */
export type Type = ScalarType | VectorType | ArrayType | StructType;

/** How WebAssembly holds a part of a value: scalars and the components of short vectors, or a vec4 in one register. */
export type Register = 'i32' | 'f32' | 'v128';

export const scalar = (of: ScalarName): ScalarType => ({ kind: 'scalar', of });
export const vector = (of: ScalarName, width: number): VectorType => ({ kind: 'vector', of, width });
export const u32 = scalar('u32');
export const i32 = scalar('i32');
export const f32 = scalar('f32');
export const bool = scalar('bool');

const shortVector = /^vec([234])([fuib])$/;
const letters: Readonly<Record<string, ScalarName>> = { f: 'f32', u: 'u32', i: 'i32', b: 'bool' };

function attribute(member: ast.Member, name: string): number | undefined {
  const found = member.attributes?.find((one) => one.name === name)?.value;
  return found === undefined || found === null ? undefined : Number(found);
}

function structType(node: ast.Struct): StructType {
  let [end, widest] = [0, 1];
  const members = node.members.map((member) => {
    if (member.type === null) throw new SubsetError(`${node.name}.${member.name} has no type`);
    const type = typeOf(member.type);
    const align = attribute(member, 'align') ?? alignOf(type);
    const offset = Math.ceil(end / align) * align;
    end = offset + (attribute(member, 'size') ?? sizeOf(type));
    widest = Math.max(widest, align);
    return { name: member.name, type, offset };
  });
  return { kind: 'struct', name: node.name, members, align: widest, size: Math.ceil(end / widest) * widest };
}

/** The type that the syntax names. Throws SubsetError for one that the CPU target does not know. */
export function typeOf(node: ast.Type): Type {
  if (node instanceof ast.Struct) return structType(node);
  if (node instanceof ast.ArrayType) {
    if (node.format === null) throw new SubsetError('an array needs a type of elements');
    return { kind: 'array', of: typeOf(node.format), count: node.count };
  }
  if (node instanceof ast.TemplateType && /^vec[234]$/.test(node.name) && node.format !== null) {
    const of = typeOf(node.format);
    if (of.kind === 'scalar') return vector(of.of, Number(node.name[3]));
  }
  const [, width, letter] = shortVector.exec(node.name) ?? [];
  if (width !== undefined) return vector(letters[letter], Number(width));
  if (node.name === 'x32') return scalar('int');
  if (['f32', 'u32', 'i32', 'bool'].includes(node.name)) return scalar(node.name as ScalarName);
  throw new SubsetError(`type ${node.name} is not in the subset of WGSL for the CPU target`);
}

/** In bytes, as WGSL lays it out in buffers. */
function alignOf(type: Type): number {
  if (type.kind === 'scalar') return 4;
  if (type.kind === 'vector') return type.width === 2 ? 8 : 16;
  if (type.kind === 'array') return alignOf(type.of);
  return type.align;
}

/** In bytes; 0 for an array whose length the buffer decides. */
export function sizeOf(type: Type): number {
  if (type.kind === 'scalar') return 4;
  if (type.kind === 'vector') return 4 * type.width;
  if (type.kind === 'array') return type.count * strideOf(type);
  return type.size;
}

/** Bytes from one element to the next. */
export function strideOf({ of }: ArrayType): number {
  const align = alignOf(of);
  return Math.ceil(sizeOf(of) / align) * align;
}

const register = (of: ScalarName): Register => (of === 'f32' ? 'f32' : 'i32');

/** The registers that hold a value of the type, in order. */
export function registersOf(type: Type): Register[] {
  if (type.kind === 'scalar') return [register(type.of)];
  if (type.kind === 'vector') {
    return type.width === 4 ? ['v128'] : new Array<Register>(type.width).fill(register(type.of));
  }
  if (type.kind === 'array') return Array.from({ length: type.count }, () => registersOf(type.of)).flat();
  return type.members.flatMap((member) => registersOf(member.type));
}

/** For messages: `vec4<f32>`, `array<u32, 4>`, `Cell`. */
export function nameOf(type: Type): string {
  if (type.kind === 'scalar') return type.of;
  if (type.kind === 'vector') return `vec${type.width}<${type.of}>`;
  if (type.kind === 'array') return `array<${nameOf(type.of)}${type.count > 0 ? `, ${type.count}` : ''}>`;
  return type.name;
}
