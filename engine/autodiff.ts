import { ShapeError, format, sameShape, size } from './shape.js';
import { recordTableGradient } from './ops/segment_sum.js';
import type { Dispatch, Gradient, RowIds, RowSource, Tape } from './tape.js';
import { owner, type Tensor } from './tensor.js';

/** The dispatches that compute gradients, and the gradient of every parameter and variable that has one. */
export interface Backward {
  readonly dispatches: readonly Dispatch[];
  readonly gradients: ReadonlyMap<Tensor, Gradient>;
}

/** Gradients gathered while walking back; a tensor read by several ops receives several, which are summed. */
class Accumulator {
  private readonly parts = new Map<Tensor, Tensor[]>();
  private readonly rows = new Map<Tensor, { ids: RowIds; source: RowSource }[]>();

  constructor(
    private readonly tape: Tape,
    readonly list: Dispatch[],
  ) {}

  add(t: Tensor, gradient: Tensor): void {
    const known = this.parts.get(t);
    if (known === undefined) this.parts.set(t, [gradient]);
    else known.push(gradient);
  }

  addRows(table: Tensor, ids: RowIds, source: RowSource): void {
    const known = this.rows.get(table);
    if (known === undefined) this.rows.set(table, [{ ids, source }]);
    else known.push({ ids, source });
  }

  /** The sum of what `t` received, in the order of the walk; undefined if it received nothing. */
  sum(t: Tensor): Tensor | undefined {
    return this.parts.get(t)?.reduce((a, b) => {
      const y = this.tape.activation('add.gradients', t.shape);
      const quads = Math.ceil(size(t.shape) / 4);
      this.tape.launcher('add', 'elementwise', this.list)('add_forward', { a, b, y }, { quads }, [quads]);
      return y;
    });
  }

  /** Rows stay rows if one op reads the table and nothing else gives it a gradient. */
  gradient(t: Tensor): Gradient | undefined {
    const rows = this.rows.get(t) ?? [];
    if (rows.length === 1 && !this.parts.has(t) && !this.tape.denseTables)
      return { kind: 'rows', ...rows[0] };
    for (const { ids, source } of rows)
      this.add(t, recordTableGradient(this.tape, this.list, t, ids, source));
    const tensor = this.sum(t);
    return tensor === undefined ? undefined : { kind: 'dense', tensor };
  }
}

/**
 * Reverse-mode differentiation of `output`: walks the applications of its tape from last to first, each giving its
 * inputs their gradients. `seed` is the gradient of the output itself, of the same shape; a scalar [1] may go without
 * and gets 1. Throws ShapeError if they do not fit.
 */
export function backward(output: Tensor, seed?: Tensor): Backward {
  const { tape } = output;
  if (!sameShape(output.shape, seed?.shape ?? [1])) {
    const needed =
      seed === undefined ? 'only a scalar [1] goes without a seed' : `the seed is ${format(seed.shape)}`;
    throw new ShapeError(`backward: the output is ${format(output.shape)}, but ${needed}`);
  }
  const list: Dispatch[] = [];
  const sums = new Accumulator(tape, list);
  sums.add(output, seed ?? tape.constant('one', [1], Float32Array.of(1)));
  for (const application of [...tape.recorded()].reverse()) {
    if (!application.output.needsGrad) continue;
    const dy = sums.sum(application.output);
    if (dy === undefined) continue;
    const first = list.length;
    const run = tape.runner(application.op, application.shader, list, (table, ids, source) =>
      sums.addRows(table, ids, source),
    );
    const gradients = application.backward(dy, run);
    const written = new Set(list.slice(first).flatMap((dispatch) => Object.values(dispatch.buffers)));
    gradients.forEach((gradient, i) => {
      if (gradient === undefined) return;
      if (written.has(gradient) || owner(gradient) === owner(dy)) sums.add(application.inputs[i], gradient);
    });
  }
  const trained = [...tape.trainable()];
  const found = trained.flatMap((t): [Tensor, Gradient][] => {
    const gradient = sums.gradient(t);
    return gradient === undefined ? [] : [[t, gradient]];
  });
  return { dispatches: list, gradients: new Map(found) };
}
