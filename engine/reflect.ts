import {
  ResourceType,
  WgslReflect,
  type OverrideInfo,
  type StructInfo,
} from 'wgsl_reflect/wgsl_reflect.module.js';
import { KernelError, type DimsMember, type Kernel } from './kernel.js';

function workgroupSize(source: string, value: string | string[] | null): [number, number, number] {
  const constant = (word: string) =>
    new RegExp(`const\\s+${word}\\s*(?::\\s*u32)?\\s*=\\s*(\\d+)u?\\s*;`).exec(source)?.[1];
  const axes = [value ?? '1']
    .flat()
    .map((word) => Number(/^\d/.test(word) ? parseInt(word, 10) : constant(word)));
  if (axes.some((axis) => !Number.isInteger(axis))) {
    throw new KernelError(`workgroup_size(${String(value)}) is neither a number nor a const of one`);
  }
  return [axes[0], axes[1] ?? 1, axes[2] ?? 1];
}

function dimsMembers(struct: StructInfo, where: string): DimsMember[] {
  return struct.members.map(({ name, offset, type }) => {
    if (type.name === 'u32' || type.name === 'f32') return { name, offset, type: type.name };
    throw new KernelError(`${where}: dims.${name} is ${type.name}; dims are u32 or f32`);
  });
}

// All those of the file, since wgsl_reflect misses some that an entry uses through functions.
function overridesOf(overrides: OverrideInfo[], members: readonly DimsMember[], where: string): string[] {
  for (const { name, type } of overrides) {
    if (type?.name === 'u32' && members.some((one) => one.name === name && one.type === 'u32')) continue;
    throw new KernelError(`${where}: override ${name} is not a u32 that is also a member of dims`);
  }
  return overrides.map(({ name }) => name);
}

function parse(shader: string, source: string): WgslReflect {
  try {
    return new WgslReflect(source);
  } catch (error) {
    throw new KernelError(`${shader}.wgsl: wgsl_reflect cannot read it: ${String(error)}`);
  }
}

/**
 * Reads every compute entry of a WGSL source: its bindings by variable name, the members of its uniform, its
 * workgroup size. Throws KernelError for what the engine does not use: several groups, more than one uniform.
 */
export function reflect(shader: string, source: string): Map<string, Kernel> {
  const kernels = new Map<string, Kernel>();
  const { entry: entries, overrides } = parse(shader, source);
  for (const entry of entries.compute) {
    const where = `${shader}.wgsl: ${entry.name}`;
    if (entry.resources.some(({ group }) => group !== 0))
      throw new KernelError(`${where}: binds outside group 0`);
    const uniforms = entry.resources.filter((one) => one.resourceType === ResourceType.Uniform);
    if (uniforms.length > 1)
      throw new KernelError(`${where}: has ${uniforms.length} uniforms; put them into dims`);
    const dims = uniforms[0] && {
      binding: uniforms[0].binding,
      bytes: Math.ceil(uniforms[0].size / 16) * 16,
      members: dimsMembers(uniforms[0].type as StructInfo, where),
    };
    const attribute = entry.attributes?.find(({ name }) => name === 'workgroup_size');
    kernels.set(entry.name, {
      shader,
      entry: entry.name,
      workgroup: workgroupSize(source, attribute?.value ?? null),
      loops: entry.inputs.some(({ location }) => location === 'num_workgroups'),
      storage: entry.resources
        .filter((one) => one.resourceType === ResourceType.Storage)
        .map(({ name, binding, access, size, stride }) => {
          return { name, binding, writable: access !== 'read', bytes: size || stride };
        }),
      dims,
      overrides: dims === undefined ? [] : overridesOf(overrides, dims.members, where),
    });
  }
  return kernels;
}
