import { checkSources, listedRows, recordRowSums, recordSegmentPieces } from './ops/segment_sum.js';
import { segmentsOf, sourceDims } from './ops/row_ids.js';
import { strided } from './ops/strided.js';
import { missedStepsLayout } from './optim/missed_steps.js';
import type { MissedTables, Optimizer, UpdateContext } from './optim/optimizer.js';
import { namesMuchOf } from './segments.js';
import { size } from './shape.js';
import type { Dispatch, Gradient, RowIds, RowsTarget, Tape } from './tape.js';
import { owner, type Tensor } from './tensor.js';

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

type Rows = Extract<Gradient, { readonly kind: 'rows' }>;
type Lists = { readonly [K in keyof Updates]: Dispatch[] };

/** Vec4s that one invocation squares and sums, unless that makes more than mostParts of a gradient. */
const partQuads = 64;
const mostParts = 1024;
/** Sums that the last level adds up. */
const totalCount = 64;

/**
 * Scales all gradients as torch.nn.utils.clip_grad_norm_ does: sums of squares in a fixed order, in three levels;
 * the root of their total compared with maxNorm; the factor left in `state.clip`.
 */
function recordClip(tape: Tape, list: Dispatch[], gradients: readonly Tensor[], { maxNorm }: ClipNorm): void {
  const run = tape.launcher('clip_norm', 'clip_norm', list);
  const parts = gradients.map((g) => Math.min(Math.ceil(size(g.shape) / 4 / partQuads), mostParts));
  const count = parts.reduce((sum, one) => sum + one, 0);
  const partials = tape.activation('clip_norm.partials', [count]);
  const totals = tape.activation('clip_norm.totals', [totalCount]);
  let offset = 0;
  gradients.forEach((g, i) => {
    const dims = { count: size(g.shape), parts: parts[i], offset };
    run('clip_norm_squares', { g4: g, partials }, dims, [parts[i]]);
    offset += parts[i];
  });
  run('clip_norm_totals', { partials, totals }, { count }, [totalCount]);
  run('clip_norm_factor', { totals, state: tape.stepState() }, { max_norm: maxNorm }, [1]);
}

/** Since other plans that share the state may not clip. */
function recordClipReset(tape: Tape, list: Dispatch[]): void {
  tape.launcher('clip_norm', 'clip_norm', list)('clip_norm_reset', { state: tape.stepState() }, {}, [1]);
}

/** Whether all rows of a table are updated, as the step may name a good part of them. */
const walks = ({ walk }: Optimizer, { shape: [rows] }: Tensor, { layout }: RowIds): boolean =>
  walk !== undefined && namesMuchOf(rows, layout);

/** Where gradients of the rows of `p` go: in their places where all rows are updated, as that leaves zeros everywhere. */
function targetOf(tape: Tape, optimizer: Optimizer, p: Tensor, ids: RowIds, clear: boolean): RowsTarget {
  if (!walks(optimizer, p, ids)) return listedRows(tape, ids, p.shape[1], clear);
  return { g: tape.input(`walk.${p.name}`, p.shape), inTable: true, clear: false };
}

/** Sums the gradients of the rows of `p`. */
function sumRows(
  tape: Tape,
  list: Dispatch[],
  optimizer: Optimizer,
  p: Tensor,
  { ids, source }: Rows,
  clear: boolean,
): Tensor {
  const target = targetOf(tape, optimizer, p, ids, clear);
  recordRowSums(tape, list, ids, source, target);
  return target.g;
}

/**
 * Records what `optimizer` does to the table `p` [V,D]. The gradients of the rows that a step names are `g`, if somebody
 * has summed them already.
 */
function recordTable(
  tape: Tape,
  lists: Lists,
  optimizer: Optimizer,
  p: Tensor,
  rows: Rows,
  g?: Tensor,
): void {
  const { ids, source } = rows;
  const summed = () => g ?? sumRows(tape, lists.after, optimizer, p, rows, false);
  if (walks(optimizer, p, ids)) {
    optimizer.walk?.({ ...contextOf(tape, lists.after, optimizer, p), g: summed() });
    return;
  }
  const { stride, maxRows, maxPieces } = ids.layout;
  const named = { segments: segmentsOf(tape, ids), stride, maxRows };
  const context = (list: Dispatch[]) => ({ ...contextOf(tape, list, optimizer, p), ...named });
  if (optimizer.catchUp && optimizer.flush) {
    const last = tape.slot(`last_step.${p.name}`, [p.shape[0]], 'u32');
    const missed = missedTables(tape, optimizer);
    optimizer.catchUp({ ...context(lists.before), last, missed });
    optimizer.flush({ ...context(lists.flush), last, missed });
    const run = tape.launcher('step', 'step', lists.flush);
    run(
      'step_recount',
      { state: tape.stepState(), last },
      { count: size(last.shape) },
      strided(size(last.shape)),
    );
  }
  if (g === undefined && optimizer.fusedRows !== undefined && typeof source !== 'function') {
    const { partials } = recordSegmentPieces(tape, lists.after, ids, source);
    const more = { source, partials, maxPieces, sourceDims: sourceDims(ids, source) };
    optimizer.fusedRows({ ...context(lists.after), ...more });
  } else {
    optimizer.rows({ ...context(lists.after), g: summed() });
  }
}

/** The input from which an optimizer reads sums over missed steps, if it wants any. */
export function missedTables(tape: Tape, { missedSteps }: Optimizer): MissedTables | undefined {
  if (missedSteps === undefined) return undefined;
  const layout = missedStepsLayout(missedSteps.reach, tape.chunkSteps);
  return { sums: tape.input('missed_steps', [layout.length, 4]), layout };
}

function contextOf(tape: Tape, list: Dispatch[], { name }: Optimizer, p: Tensor): UpdateContext {
  const slot = (key: string) => tape.slot(`${key}.${p.name}`, p.shape);
  const launch = (shader: string) => tape.launcher(name, shader, list);
  return { p, state: tape.stepState(), slot, launch };
}

/** A parameter with its gradient. */
type Trained = readonly [p: Tensor, gradient: Gradient];

/** Records the row sums that make others on the way, and returns both, by parameter: see RowSum.beside. */
function recordSharedSums(
  list: Dispatch[],
  trained: readonly Trained[],
  goal: (p: Tensor, ids: RowIds) => RowsTarget,
): ReadonlyMap<Tensor, Tensor> {
  const sums = new Map<Tensor, Tensor>();
  for (const [p, gradient] of trained) {
    if (gradient.kind !== 'rows' || typeof gradient.source !== 'function') continue;
    const { beside } = gradient.source;
    const taker = trained.find(
      ([q, other]) =>
        other.kind === 'rows' &&
        typeof other.source !== 'function' &&
        other.ids.name === beside?.ids.name &&
        owner(other.source) === owner(beside.source) &&
        q.shape[1] === 1,
    );
    if (beside === undefined || taker === undefined) continue;
    const [own, other] = [p, taker[0]].map((one) => goal(one, gradient.ids));
    gradient.source(list, { ...own, beside: other.g });
    sums.set(p, own.g).set(taker[0], other.g);
  }
  return sums;
}

/** Records the updates of every parameter that has a gradient; the others are never touched, as in PyTorch. */
export function recordUpdates(
  tape: Tape,
  gradients: ReadonlyMap<Tensor, Gradient>,
  optimizer: Optimizer | undefined,
  clip: ClipNorm | undefined,
): Updates {
  const lists: Lists = { before: [], after: [], flush: [] };
  const trained = [...gradients].filter(([p]) => p.kind === 'parameter');
  if (optimizer === undefined || trained.length === 0) return lists;
  for (const [p, gradient] of trained) if (gradient.kind === 'rows') checkSources(p, gradient.source);
  // A norm needs all gradients at once; without it those of tables need not exist as such.
  const clear = clip !== undefined;
  const goal = (p: Tensor, ids: RowIds) => targetOf(tape, optimizer, p, ids, clear);
  const sums = recordSharedSums(lists.after, trained, goal);
  const whole = ([p, gradient]: Trained) =>
    gradient.kind === 'dense'
      ? gradient.tensor
      : (sums.get(p) ?? sumRows(tape, lists.after, optimizer, p, gradient, clear));
  const summed = clip && trained.map(whole);
  if (clip && summed) recordClip(tape, lists.after, summed, clip);
  trained.forEach(([p, gradient], i) => {
    const g = summed?.[i] ?? sums.get(p);
    if (gradient.kind === 'rows') recordTable(tape, lists, optimizer, p, gradient, g);
    else optimizer.dense({ ...contextOf(tape, lists.after, optimizer, p), g: gradient.tensor });
  });
  if (clip) recordClipReset(tape, lists.after);
  return lists;
}
