import type { Tensor } from '../tensor.js';

/** The same elements, through which no gradient goes back; no kernel runs. */
export const detach = (x: Tensor): Tensor => x.tape.view(x, x.shape, false);
