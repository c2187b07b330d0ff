import type { PublishedSize } from './known.js';
import type { Manifest } from './manifest.js';

/** Sizes of a set as it was read. */
export interface SetSize {
  readonly users: readonly number[];
  readonly items: readonly number[];
  readonly interactions: number;
}

/** Users and items count twice: those with interactions, and those listed in a file of their own. */
export function sizeOf({ tables: { inter, user, item } }: Manifest): SetSize {
  const of = (distinct: number | undefined, listed: number | undefined) =>
    [distinct, listed].filter((count) => count !== undefined);
  return {
    users: of(inter?.distinct.user_id, user?.rows),
    items: of(inter?.distinct.item_id, item?.rows),
    interactions: inter?.rows ?? 0,
  };
}

/** One line for each size that differs from what was published, or one that says it is as published. */
export function compareSizes(
  name: string,
  size: SetSize,
  published: readonly PublishedSize[],
): readonly string[] {
  if (published.length === 0) return [];
  const differing = published.map((one) => differences(size, one));
  const equal = published.find((_, i) => differing[i].length === 0);
  if (equal !== undefined) return [`${name}: users, items and interactions are as published by ${equal.by}`];
  return differing[0].map(
    ([what, have, want]) =>
      `warning: ${name}: ${have} ${what}, but ${published[0].by} published ${grouped(want)}`,
  );
}

type Difference = readonly [what: string, have: string, want: number];

function differences(size: SetSize, published: PublishedSize): readonly Difference[] {
  const have = { users: size.users, items: size.items, interactions: [size.interactions] };
  return (['users', 'items', 'interactions'] as const).flatMap((what): Difference[] => {
    if (have[what].includes(published[what])) return [];
    return [[what, [...new Set(have[what])].map(grouped).join(' or '), published[what]]];
  });
}

const grouped = (count: number) => count.toLocaleString('en-US');
