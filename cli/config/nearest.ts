/**
 * Number of insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`, ignoring
 * case.
 */
export function editDistance(a: string, b: string): number {
  const [from, to] = [a.toLowerCase(), b.toLowerCase()];
  let older: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1] ? 0 : 1;
      let cost = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + same);
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (swapped) cost = Math.min(cost, older[j - 2] + 1);
      row.push(cost);
    }
    [older, last] = [last, row];
  }
  return last[to.length];
}

/** The name closest to `wanted`, or null if none is close enough to have been meant. */
export function nearest(wanted: string, names: Iterable<string>): string | null {
  let best: string | null = null;
  // A third of the letters may be wrong; more is another word.
  let bestDistance = Math.floor(Math.max(wanted.length, 3) / 3) + 1;
  for (const name of names) {
    const distance = editDistance(wanted, name);
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best;
}
