import { meanStd } from '../experiment/statistics.js';
import type { Group } from './cases.js';
import { colorOf, dashes, type Drawing, type Key } from './draw.js';
import type { Figure, Missing } from './figure.js';
import { numberText, spreadText } from './numbers.js';
import { bestEpoch, gapAt, type Epoch } from './runs.js';
import { curveOf, type Curve } from './series.js';

/** A quantity of each epoch. */
interface Quantity {
  readonly name: string;
  readonly dashed: boolean;
  of(epoch: Epoch, first: Epoch): number;
}

interface CurvePlot {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  /** What the axis says. */
  readonly axis: string;
  readonly quantities: readonly Quantity[];
  /** Why there may be nothing to show. */
  readonly missing: string;
}

const unmeasured = 'no run measured the training part; train with --lipschitz';

const split = (metric: string): readonly Quantity[] => [
  { name: 'valid', dashed: false, of: ({ valid }) => valid?.[metric] ?? NaN },
  { name: 'train', dashed: true, of: ({ train }) => train?.[metric] ?? NaN },
];

const plots: readonly CurvePlot[] = [
  ...['AUC', 'LogLoss'].map((metric) => ({
    id: `curve-${metric.toLowerCase()}`,
    title: `${metric} on train and valid`,
    note: `A dashed line ${metric === 'AUC' ? 'above' : 'below'} the solid one is what the model learned by heart.`,
    axis: metric,
    quantities: split(metric),
    missing: `no epoch was judged by ${metric}; train with --eval_step and --metrics`,
  })),
  {
    id: 'curve-objective',
    title: 'Training objective',
    note:
      'What training minimises, as a share of its value in the first epoch. Objectives of different ' +
      'heads are different sums, so only their shapes compare.',
    axis: 'share of the first epoch',
    quantities: [{ name: '', dashed: false, of: ({ loss }, first) => loss / first.loss }],
    missing: 'the runs have no metrics.jsonl',
  },
  ...(['AUC', 'LogLoss'] as const).map((metric) => ({
    id: `gap-${metric.toLowerCase()}`,
    title: `Generalisation gap of ${metric}`,
    note:
      `${metric === 'AUC' ? 'Train minus valid' : 'Valid minus train'}: how much better the model is on rows ` +
      'that it has seen. Less is better.',
    axis: `gap of ${metric}`,
    quantities: [{ name: '', dashed: false, of: (epoch: Epoch) => gapAt(epoch, metric) }],
    missing: unmeasured,
  })),
  {
    id: 'lipschitz',
    title: 'Lipschitz estimate',
    note:
      '‖∂p/∂e‖₂ on rows to validate on: how much the probability p can change with the embeddings e. ' +
      'Its maximum estimates the local Lipschitz constant from below.',
    axis: '‖∂p/∂e‖₂',
    quantities: [
      { name: 'max', dashed: false, of: ({ lipschitz }) => lipschitz?.max ?? NaN },
      { name: 'mean', dashed: true, of: ({ lipschitz }) => lipschitz?.mean ?? NaN },
    ],
    missing: 'no run measured it; train with --lipschitz',
  },
];

/** A line of a plot: a quantity of a group. */
interface Line extends Key {
  readonly color: number;
  readonly group: Group;
  readonly curve: Curve;
  readonly of: Quantity['of'];
}

/** Curves over the epochs, of the groups of a case that are to be shown. */
export function curveFigures(drawing: Drawing, groups: readonly Group[]): readonly (Figure | Missing)[] {
  return plots.map((plot) => {
    const lines = linesOf(plot, groups);
    if (lines.length === 0) return { title: plot.title, reason: plot.missing };
    const { id, title, note } = plot;
    const more = groups.some(({ runs }) => runs.length > 1)
      ? ' Bold lines are means over seeds, as far as every seed went, in a band of one standard ' +
        'deviation; thin lines are single runs.'
      : '';
    return { id, title, note: note + more, svg: svgOf(drawing, plot, lines), table: tableOf(lines) };
  });
}

function linesOf({ quantities }: CurvePlot, groups: readonly Group[]): readonly Line[] {
  const all = groups.flatMap((group, color) =>
    quantities.map(({ name, dashed, of }) => {
      const label = name === '' ? group.head.label : `${group.head.label}: ${name}`;
      return { label, color, dashed, group, curve: curveOf(group, of), of };
    }),
  );
  return all.filter(({ curve }) => curve.mean.length > 0);
}

function svgOf({ plot, svg }: Drawing, { title, axis }: CurvePlot, lines: readonly Line[]): string {
  const marks = lines.flatMap(({ color, dashed, group, curve }) => {
    const stroke = colorOf(color);
    const strokeDasharray = dashed ? dashes : undefined;
    const band = curve.mean.filter(({ std }) => Number.isFinite(std));
    const [low, high] = ([-1, 1] as const).map(
      (sign) => (point: (typeof band)[number]) => point.mean + sign * point.std,
    );
    const single = { x: 'epoch', y: 'value', z: 'seed', stroke, strokeDasharray, strokeWidth: 1 };
    return [
      plot.areaY(band, { x: 'epoch', y1: low, y2: high, fill: stroke, fillOpacity: 0.15 }),
      ...(group.runs.length > 1 ? [plot.lineY(curve.runs, { ...single, strokeOpacity: 0.35 })] : []),
      plot.lineY(curve.mean, { x: 'epoch', y: 'mean', stroke, strokeDasharray, strokeWidth: 2.5 }),
      plot.dot(curve.mean.slice(0, 1), { x: 'epoch', y: 'mean', fill: stroke, r: 3 }),
    ];
  });
  const last = Math.max(...lines.flatMap(({ curve }) => curve.runs.map(({ epoch }) => epoch)));
  const ticks = Array.from({ length: last + 1 }, (_, i) => i).filter(
    (i) => i % Math.ceil((last + 1) / 10) === 0,
  );
  return svg(title, lines, {
    x: { label: 'epoch', ticks, tickFormat: String },
    y: { label: axis, grid: true },
    marks,
  });
}

function tableOf(lines: readonly Line[]): Figure['table'] {
  const rows = lines.map(({ label, group, curve, of }) => {
    const best = group.runs.flatMap((run) => {
      const epoch = bestEpoch(run);
      const value = epoch === undefined ? NaN : of(epoch, run.epochs[0]);
      return Number.isFinite(value) ? [value] : [];
    });
    const [start, end] = [curve.mean[0], curve.mean[curve.mean.length - 1]];
    return [
      label,
      numberText(start.mean),
      spreadText(meanStd(best)),
      `${numberText(end.mean)} (${end.epoch})`,
    ];
  });
  return { columns: ['', 'first epoch', 'best epoch', 'last epoch'], rows };
}
