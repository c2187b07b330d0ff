import { bestMulti, binaryOf, measuresOf, spread, type Case, type Group, type Measure } from './cases.js';
import { colorOf, dashes, type Drawing, type Key } from './draw.js';
import type { Figure, Missing } from './figure.js';
import { spreadText } from './numbers.js';

/** What heads differ in along an axis, others being equal. */
interface Axis {
  readonly id: string;
  readonly title: string;
  readonly label: string;
  readonly missing: string;
  of(group: Group): number;
  /** Groups of one such key are a line. */
  keyOf(group: Group): string;
}

const kindOf = ({ head: { binned } }: Group) => (binned ? 'merged classes' : 'classes');

const axes: readonly Axis[] = [
  {
    id: 'ratio',
    title: 'Sensitivity to the ratio',
    label: 'multi_ratio, the share of the rating loss',
    missing: 'there is one ratio at most; train with several of --multi_ratio',
    of: ({ head }) => head.ratio ?? NaN,
    keyOf: (group) => `${group.head.classes} ${kindOf(group)}`,
  },
  {
    id: 'classes',
    title: 'Sensitivity to the number of classes',
    label: 'classes',
    missing: 'there is one number of classes at most; train with several of --rating_bins',
    of: ({ head }) => head.classes ?? NaN,
    keyOf: ({ head: { ratio } }) => `ratio ${ratio}`,
  },
];

// Of what is measured these say most in one plot.
const shown = ['test AUC', 'test LogLoss', 'Lipschitz max'];

/** Values along an axis, with their spread. */
export interface Line extends Key {
  readonly color: number;
  readonly points: readonly { readonly x: number; readonly mean: number; readonly std: number }[];
}

/** How results depend on ratio and number of classes. */
export function sensitivityFigures(drawing: Drawing, one: Case): readonly (Figure | Missing)[] {
  return axes.flatMap((axis): readonly (Figure | Missing)[] => {
    const groups = one.groups.filter(({ head }) => head.classes !== null);
    const keys = [...new Set(groups.map(axis.keyOf))];
    const series = keys
      .map((label) => ({ label, groups: groups.filter((group) => axis.keyOf(group) === label) }))
      .filter((line) => line.groups.length > 1);
    if (series.length === 0) return [{ title: axis.title, reason: axis.missing }];
    const measures = measuresOf(one).filter(({ name }) => shown.includes(name));
    return measures.map((measure) => figureOf(drawing, one, axis, measure, series));
  });
}

type Series = readonly { readonly label: string; readonly groups: readonly Group[] }[];

function figureOf(drawing: Drawing, one: Case, axis: Axis, measure: Measure, series: Series): Figure {
  const lines: Line[] = series.map(({ label, groups }, i) => ({
    label,
    color: i + 1,
    points: groups
      .map((group) => ({ x: axis.of(group), ...spread(group, measure) }))
      .sort((a, b) => a.x - b.x),
  }));
  const binary = binaryOf(one);
  const base = binary && spread(binary, measure);
  const best = bestMulti(one)?.head.label;
  const rows = series.flatMap(({ groups }) =>
    groups.map((group) => [
      `${group.head.label}${group.head.label === best ? ' *' : ''}`,
      spreadText(spread(group, measure)),
      String(group.runs.length),
    ]),
  );
  const baseRow = binary && base ? [['binary', spreadText(base), String(binary.runs.length)]] : [];
  return {
    id: `${axis.id}-${measure.name.replaceAll(' ', '-').toLowerCase()}`,
    title: `${axis.title}: ${measure.name}`,
    note:
      `Means over seeds, bars of one standard deviation; ${measure.bigger ? 'more' : 'less'} is better. ` +
      '* is best on valid.',
    svg: linesSvg(
      drawing,
      `${axis.title}: ${measure.name}`,
      { x: axis.label, y: measure.name },
      lines,
      base?.mean,
    ),
    table: { columns: ['', measure.name, 'seeds'], rows: [...baseRow, ...rows] },
  };
}

/** A plot of lines with dots and bars, and a level for the binary head if there is one. */
export function linesSvg(
  { plot, svg }: Drawing,
  title: string,
  axes: { readonly x: string; readonly y: string },
  lines: readonly Line[],
  base?: number,
): string {
  const ticks = [...new Set(lines.flatMap(({ points }) => points.map(({ x }) => x)))];
  const dash = { stroke: colorOf(0), strokeDasharray: dashes, strokeWidth: 2 };
  const marks = lines.flatMap(({ points, color, dashed }) => {
    const stroke = colorOf(color);
    const spreads = points.filter(({ std }) => Number.isFinite(std));
    return [
      plot.ruleX(spreads, {
        x: 'x',
        y1: ({ mean, std }: Line['points'][number]) => mean - std,
        y2: ({ mean, std }: Line['points'][number]) => mean + std,
        stroke,
        strokeWidth: 1.5,
      }),
      plot.lineY(points, {
        x: 'x',
        y: 'mean',
        stroke,
        strokeWidth: 2.5,
        strokeDasharray: dashed ? dashes : undefined,
      }),
      plot.dot(points, { x: 'x', y: 'mean', fill: stroke, r: 4 }),
    ];
  });
  const keys: readonly Key[] =
    base !== undefined ? [{ label: 'binary', color: 0, dashed: true }, ...lines] : lines;
  return svg(title, keys, {
    x: { label: axes.x, ticks, tickFormat: String, insetLeft: 12, insetRight: 12 },
    y: { label: axes.y, grid: true },
    marks: [...(base !== undefined ? [plot.ruleY([base], dash)] : []), ...marks],
  });
}
