/** Work that goes on beside what begins it, one at a time and in order. */
export class Behind {
  private work: Promise<void> = Promise.resolve();

  /** Begins `work` once what was begun before is done. Rejects if that failed, and begins nothing then. */
  async begin(work: () => Promise<void>): Promise<void> {
    await this.work;
    this.work = work();
    // Whoever comes next hears of it; until then it must not end the process as nobody's.
    this.work.catch(() => {});
  }

  /** Waits for what was begun last. Rejects if it failed. */
  done(): Promise<void> {
    return this.work;
  }
}
