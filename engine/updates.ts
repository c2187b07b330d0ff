import { recordSegmentSum, segmentsOf } from './ops/segment_sum.js';
import type { Optimizer, UpdateContext } from './optim/optimizer.js';
import { size } from './shape.js';
import type { Dispatch, Gradient, Tape } from './tape.js';
import type { Tensor } from './tensor.js';

/** clip_grad_norm: gradients are scaled by max_norm / (norm + 1e-6) where their joint 2-norm exceeds max_norm. */
export interface ClipNorm {
  readonly maxNorm: number;
}

/** What an optimizer adds to a step. */
export interface Updates {
  /** Before the forward pass reads tables. */
  readonly before: readonly Dispatch[];
  readonly after: readonly Dispatch[];
  /** Brings all rows up to date, outside the step. */
  readonly flush: readonly Dispatch[];
}

/** Parts into which the squared norm of each gradient is summed first. */
const normParts = 64;

/**
 * Scales all gradients as torch.nn.utils.clip_grad_norm_ does: sums of squares in a fixed order, their total's root
 * compared with maxNorm, the factor left in `state.clip`.
 */
function recordClip(tape: Tape, list: Dispatch[], gradients: readonly Tensor[], { maxNorm }: ClipNorm): void {
  const run = tape.launcher('clip_norm', 'clip_norm', list);
  const total = normParts * gradients.length;
  const partials = tape.activation('clip_norm.partials', [total]);
  gradients.forEach((g, i) => {
    run('clip_norm_squares', { g, partials }, { count: size(g.shape), offset: i * normParts }, [normParts]);
  });
  run('clip_norm_factor', { partials, state: tape.stepState() }, { count: total, max_norm: maxNorm }, [1]);
}

/** Records the updates of every parameter that has a gradient; the others are never touched, as in PyTorch. */
export function recordUpdates(
  tape: Tape,
  gradients: ReadonlyMap<Tensor, Gradient>,
  optimizer: Optimizer | undefined,
  clip: ClipNorm | undefined,
): Updates {
  const before: Dispatch[] = [];
  const after: Dispatch[] = [];
  const flush: Dispatch[] = [];
  if (optimizer === undefined) return { before, after, flush };
  const trained = [...gradients].filter(([p]) => p.kind === 'parameter');
  const summed = trained.map(([p, gradient]) => ({
    p,
    gradient,
    g:
      gradient.kind === 'dense'
        ? gradient.tensor
        : recordSegmentSum(tape, after, gradient.ids, gradient.source, clip !== undefined),
  }));
  if (clip !== undefined)
    recordClip(
      tape,
      after,
      summed.map(({ g }) => g),
      clip,
    );
  for (const { p, gradient, g } of summed) {
    const context = (list: Dispatch[]): UpdateContext => ({
      p,
      state: tape.stepState(),
      slot: (name) => tape.slot(`${name}.${p.name}`, p.shape),
      run: tape.launcher(optimizer.name, optimizer.name, list),
    });
    if (gradient.kind === 'dense') {
      optimizer.dense({ ...context(after), g });
      continue;
    }
    const { stride, maxRows } = gradient.ids.layout;
    const last = tape.slot(`last_step.${p.name}`, [p.shape[0]], 'u32');
    const rows = { last, segments: segmentsOf(tape, gradient.ids), stride, maxRows };
    optimizer.catchUp?.({ ...context(before), ...rows });
    optimizer.rows({ ...context(after), ...rows, g });
    optimizer.flush?.({ ...context(flush), last });
  }
  return { before, after, flush };
}
