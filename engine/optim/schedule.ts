/** The learning rate of a step: `step` counts updates from 1, `epoch` from 0. */
export type LrSchedule = (step: number, epoch: number) => number;

/** lr throughout. */
export const constantLr =
  (lr: number): LrSchedule =>
  () =>
    lr;

/** lr · gamma^⌊epoch / every⌋, as torch.optim.lr_scheduler.StepLR. */
export const stepLr =
  (lr: number, every: number, gamma = 0.1): LrSchedule =>
  (_, epoch) =>
    lr * gamma ** Math.floor(epoch / every);

/** lr · gamma^epoch, as torch.optim.lr_scheduler.ExponentialLR. */
export const exponentialLr =
  (lr: number, gamma: number): LrSchedule =>
  (_, epoch) =>
    lr * gamma ** epoch;

/**
 * Half a cosine from lr to lowest over `epochs` epochs, as torch.optim.lr_scheduler.CosineAnnealingLR (Loshchilov and
 * Hutter, SGDR, 2017), and lowest from then on.
 */
export const cosineLr =
  (lr: number, epochs: number, lowest = 0): LrSchedule =>
  (_, epoch) =>
    lowest + ((lr - lowest) * (1 + Math.cos(Math.PI * Math.min(epoch / epochs, 1)))) / 2;
