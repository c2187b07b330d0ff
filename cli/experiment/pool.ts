/** Does `work` on all items, at most `width` at once, in order of their start. Rejects with the first failure. */
export async function inTurn<Item>(
  items: readonly Item[],
  width: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    // One iterator for all workers: each takes the next item that nobody has.
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
}
