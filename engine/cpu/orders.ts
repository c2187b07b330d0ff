/** A compiled shader and the entries of it that commands use, numbered from `first` on. */
export interface Definition {
  readonly kind: 'define';
  readonly module: WebAssembly.Module;
  readonly first: number;
  readonly entries: readonly string[];
}

/** Words of one command in a list: number of its entry, address of its record, workgroups. */
export const commandWords = 3;

/** What the host asks of the leader, in the order in which it is to be done. */
export type Order =
  | { readonly kind: 'run'; readonly list: Int32Array; readonly times: number }
  | { readonly kind: 'profile'; readonly list: Int32Array; readonly id: number }
  | { readonly kind: 'write'; readonly address: number; readonly bytes: ArrayBuffer }
  | { readonly kind: 'zero'; readonly address: number; readonly length: number }
  | { readonly kind: 'read'; readonly address: number; readonly length: number; readonly id: number }
  | {
      readonly kind: 'copy';
      readonly address: number;
      readonly length: number;
      readonly to: number;
      readonly id: number;
    }
  | { readonly kind: 'settle'; readonly id: number };

/** The leader's answer to an order with an id: a copy of memory, or start and end of each command in milliseconds. */
export interface Answer {
  readonly id: number;
  readonly bytes?: ArrayBuffer;
  readonly timesMs?: Float64Array;
}

/** What a thread is started with. */
export interface ThreadSetup {
  readonly memory: WebAssembly.Memory;
  readonly control: Int32Array;
  readonly threads: number;
  readonly spinMs: number;
  /** See `Executor`. */
  readonly smallNs: number;
}
