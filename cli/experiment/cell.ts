/** How a cell is supervised: by the label alone (all null), by rating classes, or by ratings merged into bins. */
export interface Head {
  readonly multi_cls: number | null;
  readonly multi_ratio: number | null;
  readonly rating_bins: number | null;
}

/** One training run of an experiment. */
export interface Cell {
  readonly model: string;
  readonly dataset: string;
  readonly head: Head;
  readonly seed: number;
  /** Further options of `train`, as typed. */
  readonly options: Readonly<Record<string, string>>;
}

/** What is to be run under a name. */
export interface Plan {
  readonly name: string;
  readonly cells: readonly Cell[];
  /** Lines that belong beside its results. */
  readonly notes: readonly string[];
}

/** The head that learns the label alone. */
export const binaryHead: Head = { multi_cls: null, multi_ratio: null, rating_bins: null };

/** What a head learns, without its ratio: `binary`, `5 classes`, `3 bins`. */
export function headTitle({ multi_cls, rating_bins }: Head): string {
  if (rating_bins !== null) return `${rating_bins} bins`;
  return multi_cls === null ? 'binary' : `${multi_cls} classes`;
}

/** A cell's name, also of its folder: ml-1m-FM-5classes-0.3-2020. */
export function cellName({ model, dataset, head, seed }: Cell): string {
  const ratio = head.multi_ratio === null ? [] : [head.multi_ratio];
  return [dataset, model, headTitle(head).replace(' ', ''), ...ratio, seed].join('-');
}

/** The arguments of `train` that make the cell. */
export function cellArguments({ model, dataset, head, seed, options }: Cell): readonly string[] {
  const all = { model, dataset, ...options, seed, ...head };
  return Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [`--${name}=${value}`]));
}
