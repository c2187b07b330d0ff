import { DeviceError } from '../device.js';
import { failureIn, words, type Failure } from './control.js';
import type { LinearMemory } from './memory.js';
import type { Answer, Definition, Order } from './orders.js';

/** The threads of a device, as the host sees them. */
export interface Threads {
  readonly control: Int32Array;
  /** Tells all threads; before any order that needs it. */
  define(definition: Definition): void;
  /** Orders are done one after the other. */
  post(order: Order): void;
  /** Who hears answers, and of the death of a thread. */
  listen(answered: (answer: Answer) => void, died: (why: string) => void): void;
  /** Whether the process has to stay alive for an answer. */
  hold(waiting: boolean): void;
  terminate(): void;
}

interface Pending {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** An order that is answered, without the number by which the answer is known. */
type Question = Extract<Order, { readonly id: number }>;
type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;

/** The host's end of the work: what is ordered, what is awaited, and what went wrong. */
export class Queue {
  private posted = 0;
  private asked = 0;
  private readonly pending = new Map<number, Pending>();
  private failure: DeviceError | undefined;

  constructor(
    private readonly name: string,
    private readonly memory: LinearMemory,
    private readonly threads: Threads,
    /** Who knows the command at fault. */
    private readonly explain: (failure: Failure) => string,
  ) {
    threads.listen(
      (answer) => this.answered(answer),
      (why) => this.close(`${name}: device lost (a thread has ended): ${why}`),
    );
  }

  /** Throws the first failure, now and ever after. */
  check(): void {
    this.notice();
    if (this.failure !== undefined) throw this.failure;
  }

  /** Takes down what has failed, while it can still be explained. */
  notice(): void {
    if (this.failure !== undefined) return;
    const failure = failureIn(this.threads.control);
    if (failure !== undefined) this.failure = new DeviceError(`${this.name}: ${this.explain(failure)}`);
  }

  /** Whether everything ordered is done, so that the host may touch the memory itself. */
  private get idle(): boolean {
    return Atomics.load(this.threads.control, words.done) === this.posted;
  }

  post(order: Order): void {
    this.posted = (this.posted + 1) | 0;
    this.threads.post(order);
  }

  define(definition: Definition): void {
    this.threads.define(definition);
  }

  /** Puts bytes into the memory, after everything ordered so far. */
  write(address: number, bytes: Uint8Array): void {
    if (this.idle) this.memory.bytes().set(bytes, address);
    else this.post({ kind: 'write', address, bytes: bytes.slice().buffer as ArrayBuffer });
  }

  /** Zeroes memory, after everything ordered so far. */
  zero(address: number, length: number): void {
    if (length === 0) return;
    if (this.idle) this.memory.bytes().fill(0, address, address + length);
    else this.post({ kind: 'zero', address, length });
  }

  /** A copy of memory as it is after everything ordered so far. */
  async read(address: number, length: number): Promise<ArrayBuffer> {
    this.check();
    if (this.idle) return this.copyOf(address, length);
    const { bytes } = await this.ask({ kind: 'read', address, length });
    return bytes as ArrayBuffer;
  }

  /**
   * The same by way of the memory from `stage` on, which nobody else may use until then: the threads go on while the host
   * finds pages for its copy.
   */
  async readStaged(address: number, length: number, stage: number): Promise<ArrayBuffer> {
    this.check();
    if (this.idle) return this.copyOf(address, length);
    await this.ask({ kind: 'copy', address, length, to: stage });
    return this.copyOf(stage, length);
  }

  private copyOf(address: number, length: number): ArrayBuffer {
    const copy = new Uint8Array(length);
    copy.set(this.memory.bytes().subarray(address, address + length));
    return copy.buffer;
  }

  /** Resolves when everything ordered so far is done. */
  async settled(): Promise<void> {
    this.check();
    if (!this.idle) await this.ask({ kind: 'settle' });
    this.check();
  }

  /** Start and end of each command of a list, in milliseconds. */
  async profile(list: Int32Array): Promise<Float64Array> {
    const { timesMs } = await this.ask({ kind: 'profile', list });
    return timesMs as Float64Array;
  }

  private ask(question: WithoutId<Question>): Promise<Answer> {
    const id = this.asked++;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.threads.hold(true);
      this.post({ ...question, id });
    });
  }

  private answered(answer: Answer): void {
    const waiting = this.pending.get(answer.id);
    this.pending.delete(answer.id);
    if (this.pending.size === 0) this.threads.hold(false);
    this.notice();
    if (this.failure === undefined) waiting?.resolve(answer);
    else waiting?.reject(this.failure);
  }

  /** Ends the threads; from here on every use is an error that says why, and whoever waits hears it. */
  close(why: string): void {
    this.notice();
    this.failure ??= new DeviceError(why);
    this.threads.terminate();
    this.threads.hold(false);
    for (const { reject } of this.pending.values()) reject(this.failure);
    this.pending.clear();
  }
}
