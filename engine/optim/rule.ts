import { strided } from '../ops/strided.js';
import { rowView } from '../segments.js';
import { size } from '../shape.js';
import type { Tensor } from '../tensor.js';
import type {
  DenseUpdate,
  MissedTables,
  Optimizer,
  RowsReplay,
  RowsSourceUpdate,
  RowsUpdate,
  UpdateContext,
} from './optimizer.js';

type Numbers = Readonly<Record<string, number>>;
type Tensors = Readonly<Record<string, Tensor>>;
/** A file in shaders/, and what stands between the optimizer's name and the suffix in the name of the kernel. */
type Entry = readonly [shader: string, kernel: 'rows' | 'replay' | 'series' | 'fused'];

/** What every optimizer takes. */
export interface OptimizerOptions {
  /** Added to the gradient as weightDecay · p (L2), 0 by default. */
  readonly weightDecay?: number;
}

/** The file in shaders/ with the kernel that replays, and numbers that only it finds in dims. */
interface Replay {
  readonly shader: string;
  readonly constants?: Numbers;
}

/** The same for one that moves rows by sums over the steps they missed; it finds other numbers in dims. */
interface Series {
  readonly shader: string;
  readonly constants: Numbers;
  readonly missedSteps: NonNullable<Optimizer['missedSteps']>;
}

/**
 * An optimizer whose kernels are `<name>_dense` over vec4s, `<name>_rows` and, if rows that no step names change too,
 * `<name>_replay` or `<name>_series`; all but the first with a twin `_vec4` for rows of whole vec4s.
 */
export interface Rule {
  readonly name: string;
  /** Tensors kept beside a parameter; kernels bind them under these names. */
  readonly slots: readonly string[];
  /** Numbers that its kernels find in dims. */
  readonly constants: Numbers;
  readonly schedule: Optimizer['schedule'];
  /** The file in shaders/ with `<name>_fused`, which is segment_sum_rows and `<name>_rows` in one, and its twin. */
  readonly fused?: string;
  readonly replay?: Replay | Series;
  /** There is a `<name>_walk`, too, which is `<name>_dense` with a gradient that it leaves zero. */
  readonly walk?: boolean;
}

/** Vec4s of a row, or floats where rows are not whole vec4s. */
const cells = ({ p }: RowsUpdate): number => p.shape[1] / rowView(p.shape[1]).lanes;

/** Builds what the plan records from a rule. */
export function optimizerOf({ name, slots, constants, schedule, fused, replay, walk }: Rule): Optimizer {
  const bind = ({ p, state, slot }: UpdateContext, four: '' | '4'): Tensors => ({
    state,
    [`p${four}`]: p,
    ...Object.fromEntries(slots.map((key) => [`${key}${four}`, slot(key)])),
  });
  const launch = (u: RowsUpdate, [shader, entry]: Entry, over: number, more: Tensors, numbers: Numbers) => {
    const { four, suffix } = rowView(u.p.shape[1]);
    const buffers = { ...bind(u, four), segments: u.segments, ...more };
    const dims = { width: cells(u), stride: u.stride, ...numbers };
    u.launch(shader)(`${name}_${entry}${suffix}`, buffers, dims, strided(over));
  };
  /** Of the rows that the step names, or of `count` rows: all. */
  const catchUp = (how: Replay | Series, u: RowsReplay, count?: number) => {
    const all = count && { count };
    if (!('missedSteps' in how)) {
      const numbers = { ...constants, ...how.constants, ...all };
      launch(u, [how.shader, 'replay'], count ?? u.maxRows, { last: u.last }, numbers);
      return;
    }
    const { sums, layout } = u.missed as MissedTables;
    const { reach, slots, fullAt, powersAt } = layout;
    const numbers = { ...how.constants, reach, slots, full_at: fullAt, powers_at: powersAt, ...all };
    launch(u, [how.shader, 'series'], count ?? u.maxRows, { last: u.last, sums4: sums }, numbers);
  };
  const replaying = replay && {
    catchUp: (u: RowsReplay) => catchUp(replay, u),
    flush: (u: RowsReplay) => catchUp(replay, u, u.p.shape[0]),
    ...('missedSteps' in replay && { missedSteps: replay.missedSteps }),
  };
  const fusing = fused !== undefined && {
    fusedRows: ({ source, partials, maxPieces, sourceDims, ...u }: RowsSourceUpdate) => {
      const { four } = rowView(u.p.shape[1]);
      const more = { [`source${four}`]: source, [`partials${four}`]: partials };
      const numbers = { ...constants, max_rows: u.maxRows, max_pieces: maxPieces, ...sourceDims };
      launch(u, [fused, 'fused'], u.maxRows * cells(u), more, numbers);
    },
  };
  const all = (u: DenseUpdate, kernel: 'dense' | 'walk', g: string) => {
    const count = Math.ceil(size(u.p.shape) / 4);
    const buffers = { ...bind(u, '4'), [g]: u.g };
    u.launch(name)(`${name}_${kernel}`, buffers, { count, ...constants }, strided(count));
  };
  return {
    name,
    schedule,
    dense: (u) => all(u, 'dense', 'g4'),
    rows(u) {
      launch(u, [name, 'rows'], u.maxRows * cells(u), { [`g${rowView(u.p.shape[1]).four}`]: u.g }, constants);
    },
    ...replaying,
    ...fusing,
    ...(walk && { walk: (u: DenseUpdate) => all(u, 'walk', 'spent4') }),
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
