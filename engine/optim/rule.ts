import { strided } from '../ops/strided.js';
import { rowView } from '../segments.js';
import { size } from '../shape.js';
import type { Tensor } from '../tensor.js';
import type { Optimizer, RowsSourceUpdate, RowsUpdate, UpdateContext } from './optimizer.js';

type Numbers = Readonly<Record<string, number>>;
type Tensors = Readonly<Record<string, Tensor>>;
/** A file in shaders/, and what stands between the optimizer's name and the suffix in the name of the kernel. */
type Entry = readonly [shader: string, kernel: 'rows' | 'replay' | 'fused'];

/** What every optimizer takes. */
export interface OptimizerOptions {
  /** Added to the gradient as weightDecay · p (L2), 0 by default. */
  readonly weightDecay?: number;
}

/**
 * An optimizer whose kernels are `<name>_dense` over vec4s, `<name>_rows` and, if rows that no step names change too,
 * `<name>_replay`; the latter two with a twin `_vec4` for rows of whole vec4s.
 */
export interface Rule {
  readonly name: string;
  /** Tensors kept beside a parameter; kernels bind them under these names. */
  readonly slots: readonly string[];
  /** Numbers that its kernels find in dims. */
  readonly constants: Numbers;
  readonly schedule: Optimizer['schedule'];
  /** Whether `<name>_rows` keeps account of the steps that are in a row. */
  readonly counts: boolean;
  /** The file in shaders/ with `<name>_fused`, which is segment_sum_rows and `<name>_rows` in one, and its twin. */
  readonly fused?: string;
  /** The file in shaders/ with the kernel that replays, and numbers that only it finds in dims. */
  readonly replay?: { readonly shader: string; readonly constants?: Numbers };
}

/** Builds what the plan records from a rule. */
export function optimizerOf({ name, slots, constants, schedule, counts, fused, replay }: Rule): Optimizer {
  const bind = ({ p, state, slot }: UpdateContext, four: '' | '4'): Tensors => ({
    state,
    [`p${four}`]: p,
    ...Object.fromEntries(slots.map((key) => [`${key}${four}`, slot(key)])),
  });
  /** `count` cells of all rows, or with 0 those of the rows that the step names. */
  const byRows = (u: RowsUpdate, [shader, entry]: Entry, count: number, more: Tensors, numbers?: Numbers) => {
    const { lanes, four, suffix } = rowView(u.p.shape[1]);
    const width = u.p.shape[1] / lanes;
    const buffers = { ...bind(u, four), segments: u.segments, ...more };
    const dims = { ...(count > 0 && { count }), width, stride: u.stride, ...constants, ...numbers };
    u.launch(shader)(`${name}_${entry}${suffix}`, buffers, dims, strided(count || u.maxRows * width));
  };
  const replaying = replay && {
    catchUp: (u: RowsUpdate) => byRows(u, [replay.shader, 'replay'], 0, { last: u.last }, replay.constants),
    flush: (u: RowsUpdate) =>
      byRows(u, [replay.shader, 'replay'], size(u.last.shape), { last: u.last }, replay.constants),
  };
  const fusing = fused !== undefined && {
    fusedRows: ({ source, partials, maxPieces, sourceDims, ...u }: RowsSourceUpdate) => {
      const { four } = rowView(u.p.shape[1]);
      const more = { last: u.last, [`source${four}`]: source, [`partials${four}`]: partials };
      byRows(u, [fused, 'fused'], 0, more, { max_rows: u.maxRows, max_pieces: maxPieces, ...sourceDims });
    },
  };
  return {
    name,
    schedule,
    dense(u) {
      const count = Math.ceil(size(u.p.shape) / 4);
      u.launch(name)(`${name}_dense`, { ...bind(u, '4'), g4: u.g }, { count, ...constants }, strided(count));
    },
    rows(u) {
      const g = { [`g${rowView(u.p.shape[1]).four}`]: u.g };
      byRows(u, [name, 'rows'], 0, counts ? { ...g, last: u.last } : g);
    },
    ...replaying,
    ...fusing,
  };
}

/** Smallest normal f32: an ε below it would not keep kernels from dividing by zero. */
export const smallest = 2 ** -126;

/** Throws RangeError unless low <= value < high. */
export function within(where: string, value: number, low: number, high = Infinity): void {
  if (value >= low && value < high) return;
  const range = high === Infinity ? `at least ${low}` : `from ${low} to below ${high}`;
  throw new RangeError(`${where} is ${value}, but must be ${range}`);
}
