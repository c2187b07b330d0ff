import { DeviceError } from './device.js';

/** Keeps what WebGPU reports on the side (a lost device, errors outside compile), so that the next call can throw it. */
export class Failures {
  private failure: DeviceError | undefined;
  private closed = false;

  constructor(
    gpu: GPUDevice,
    private readonly name: string,
  ) {
    gpu.addEventListener('uncapturederror', (event) => {
      event.preventDefault(); // else Dawn writes it to stderr as well
      this.report(event.error.message.trim());
    });
    // A loss explains whatever went wrong before it was noticed, so it takes the place of other failures.
    void gpu.lost.then(({ reason, message }) => {
      if (!this.closed) this.failure = new DeviceError(`${name}: device lost (${reason}): ${message.trim()}`);
    });
  }

  report(message: string): void {
    this.failure ??= new DeviceError(`${this.name}: ${message}`);
  }

  /** From here on a lost device is what was wanted, and using it an error. */
  close(): void {
    this.closed = true;
    this.failure ??= new DeviceError(`${this.name}: the device was destroyed; open another`);
  }

  /** Throws the first failure that was reported, now and ever after. */
  check(): void {
    if (this.failure !== undefined) throw this.failure;
  }
}
