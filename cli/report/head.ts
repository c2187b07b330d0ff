import type { RunResult } from '../train/result.js';

/** How a model is supervised: by the label alone, or by rating classes beside it. */
export interface Head {
  /** Null for the label alone. */
  readonly classes: number | null;
  /** Share of the rating loss. */
  readonly ratio: number | null;
  /** Whether ratings were merged into those classes. */
  readonly binned: boolean;
  /** How the head is named, different for different heads. */
  readonly label: string;
}

type Options = Readonly<Record<string, unknown>>;

/** The options of a run by name: its own, the model's and the data set's. */
export function optionsOf({ config }: Pick<RunResult, 'config'>): Options {
  const parts = config as Readonly<Record<'options' | 'model_options' | 'data', Options | undefined>>;
  return { ...parts.options, ...parts.model_options, ...parts.data };
}

const numberOrNull = (value: unknown) => (typeof value === 'number' ? value : null);

/** The head of a run. */
export function headOf(result: Pick<RunResult, 'config'>): Head {
  const options = optionsOf(result);
  const bins = numberOrNull(options.rating_bins);
  const classes = numberOrNull(options.multi_cls) ?? bins;
  if (classes === null) return { classes, ratio: null, binned: false, label: 'binary' };
  const ratio = numberOrNull(options.multi_ratio) ?? 0.5; // the default of multi_ratio
  const kind = bins === null ? 'classes' : 'merged classes';
  return { classes, ratio, binned: bins !== null, label: `${classes} ${kind}, ratio ${ratio}` };
}
