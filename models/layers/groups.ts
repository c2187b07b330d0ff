import { ShapeError } from '../../engine/index.js';

/** RecBole's `fields`: from the key of a group to the names of its fields. */
export type FieldGroups = Readonly<Record<string, readonly string[]>>;

/** The group of each field, 0 … count − 1. */
export interface Groups {
  readonly of: readonly number[];
  readonly count: number;
}

/** What is wrong with groups of these names, if anything. */
function problem(names: readonly string[], groups: readonly (readonly string[])[]): string | undefined {
  const all = groups.flat();
  const unknown = all.find((name) => !names.includes(name));
  if (unknown !== undefined) return `${unknown} is no field of this data set`;
  const lost = names.find((name) => !all.includes(name));
  if (lost !== undefined) return `${lost} is in no group`;
  const twice = all.find((name, i) => all.indexOf(name) !== i);
  if (twice !== undefined) return `${twice} is in a group twice, or in two`;
  const empty = groups.findIndex((group) => group.length === 0);
  return empty < 0 ? undefined : `group ${empty + 1} is empty`;
}

/**
 * The groups of the fields `names`, numbered in the order of `fields`; each field by itself if that is null. Throws
 * ShapeError unless every field is in one group.
 */
export function fieldGroups(names: readonly string[], fields: FieldGroups | null): Groups {
  if (fields === null) return { of: names.map((_, i) => i), count: names.length };
  const groups = typeof fields === 'object' ? Object.values(fields) : [];
  const example = `{0: ['${names[0]}'], 1: [${names.slice(1).map((name) => `'${name}'`)}]}`;
  if (groups.length === 0 || !groups.every(Array.isArray)) {
    throw new ShapeError(`fields: is not a dict of lists of fields; give one such as ${example}`);
  }
  const what = problem(names, groups);
  if (what !== undefined) throw new ShapeError(`fields: ${what}; give each of ${names.join(', ')} one group`);
  return { of: names.map((name) => groups.findIndex((group) => group.includes(name))), count: groups.length };
}
