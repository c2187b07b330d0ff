/** A piece of memory. */
export interface Piece {
  readonly address: number;
  readonly bytes: number;
}

/** Pieces begin on cache lines, which also suits vec4s. */
const alignment = 64;

/** Hands out pieces of a memory that ends at `limit` and grows on demand; knows nothing of what is in them. */
export class Allocator {
  /** By address; no two touch. */
  private readonly free: Piece[] = [];
  private readonly used = new Map<number, number>();
  /** Nothing from here on was ever handed out. */
  private top: number;

  constructor(
    start: number,
    private readonly limit: number,
  ) {
    this.top = Math.ceil(start / alignment) * alignment;
  }

  /** Bytes handed out, rounded up to whole lines. */
  get usedBytes(): number {
    return [...this.used.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  /** Where memory that was never handed out begins. */
  get end(): number {
    return this.top;
  }

  /** The smallest hole that is large enough, or the memory behind everything; undefined if neither is. */
  allocate(bytes: number): Piece | undefined {
    const size = Math.max(alignment, Math.ceil(bytes / alignment) * alignment);
    const address = this.takeHole(size) ?? this.takeTop(size);
    if (address === undefined) return undefined;
    this.used.set(address, size);
    return { address, bytes: size };
  }

  private takeHole(size: number): number | undefined {
    const fitting = this.free.filter((hole) => hole.bytes >= size);
    if (fitting.length === 0) return undefined;
    const best = fitting.reduce((a, b) => (b.bytes < a.bytes ? b : a));
    const rest = { address: best.address + size, bytes: best.bytes - size };
    this.free.splice(this.free.indexOf(best), 1, ...(rest.bytes > 0 ? [rest] : []));
    return best.address;
  }

  private takeTop(size: number): number | undefined {
    const last = this.free.at(-1);
    const start = last !== undefined && last.address + last.bytes === this.top ? last.address : this.top;
    if (start + size > this.limit) return undefined;
    if (start < this.top) this.free.pop();
    this.top = start + size;
    return start;
  }

  /** Takes a piece back; twice is no harm. */
  release(address: number): void {
    const bytes = this.used.get(address);
    if (bytes === undefined) return;
    this.used.delete(address);
    const after = this.free.findIndex((hole) => hole.address > address);
    const at = after === -1 ? this.free.length : after;
    const [before, next] = [this.free[at - 1], this.free[at]];
    const joinsBefore = before !== undefined && before.address + before.bytes === address;
    const joinsNext = next !== undefined && address + bytes === next.address;
    const start = joinsBefore ? before.address : address;
    const end = joinsNext ? next.address + next.bytes : address + bytes;
    const [first, count] = [joinsBefore ? at - 1 : at, Number(joinsBefore) + Number(joinsNext)];
    this.free.splice(first, count, { address: start, bytes: end - start });
  }
}
