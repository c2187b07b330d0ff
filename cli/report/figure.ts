/** A table of texts; the first column names the row. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A plot and the numbers that it shows. */
export interface Figure {
  /** Fit for a file name. */
  readonly id: string;
  readonly title: string;
  /** How to read it. */
  readonly note: string;
  readonly svg: string;
  readonly table: Table;
}

/** A plot that could not be made, and why. */
export interface Missing {
  readonly title: string;
  readonly reason: string;
}
