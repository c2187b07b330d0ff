import type { BestSlopes } from '../train/lipschitz.js';
import type { Metrics } from '../train/state.js';

/** What training with so many classes came to; 1 is the label alone. */
export interface BoundRow extends BestSlopes {
  readonly classes: number;
  readonly run: string;
  readonly best_epoch: number;
  readonly valid: Metrics | null;
  readonly test: Metrics | null;
}

const titles = [
  'classes',
  'AUC',
  'LogLoss',
  'label mean',
  'label max',
  'L_p',
  'L_f',
  'L_f/√N',
  'holds',
  'rows within',
  'L_p/L_p(2)',
  'bound/bound(2)',
];

const limitOf = ({ logits, classes }: BoundRow) => logits / Math.sqrt(classes);

/** The table of `paper bound`: a line for each number of classes, and what the columns are. */
export function boundTable(rows: readonly BoundRow[]): string {
  const base = rows.find(({ classes }) => classes === 2);
  const short = (value: number) => value.toPrecision(4);
  const metric = (row: BoundRow, name: string) => row.test?.[name]?.toFixed(4) ?? '';
  const cells = rows.map((row) => {
    const { classes, score, logits, probabilities, within } = row;
    const measured = [short(score.mean), short(score.max), short(probabilities), short(logits)];
    const begin = [classes === 1 ? 'label' : String(classes), metric(row, 'AUC'), metric(row, 'LogLoss')];
    if (classes === 1) return [...begin, ...measured, '', '', '', '', ''];
    const limit = limitOf(row);
    const relative = base && [short(probabilities / base.probabilities), short(limit / limitOf(base))];
    const holds = probabilities <= limit ? 'yes' : 'no';
    return [
      ...begin,
      ...measured,
      short(limit),
      holds,
      `${(100 * within).toFixed(1)}%`,
      ...(relative ?? ['', '']),
    ];
  });
  const lines = [titles, ...cells];
  const widths = titles.map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  const table = lines.map((line) =>
    line
      .map((cell, i) => cell.padStart(widths[i]))
      .join('  ')
      .trimEnd(),
  );
  return [
    ...table,
    '',
    'label mean, label max: ‖∂p/∂e‖ of the predicted probability of a positive label; AUC and LogLoss: of the test part.',
    'L_p: largest ‖∂p/∂e‖ of the class probabilities (of sigmoid(z) for label); L_f: largest ‖∂z/∂e‖ of the logits.',
    'holds: L_p ≤ L_f/√N; rows within: where it holds row by row. A softmax has slopes of at most ½, so that it must hold',
    'up to N = 4; whether more classes make a model less steep is what L_p and label max say.',
  ].join('\n');
}
