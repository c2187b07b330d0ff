import { meanStd } from '../experiment/statistics.js';
import type { BestSlopes } from '../train/lipschitz.js';
import { binaryOf, type Case, type Group } from './cases.js';
import type { Drawing } from './draw.js';
import type { Figure, Missing } from './figure.js';
import { spreadText } from './numbers.js';
import type { Run } from './runs.js';
import { linesSvg, type Line } from './sensitivity.js';

const title = "Slopes of class probabilities, and the paper's bound";
const note =
  'L_p ≤ L_f/√N, the paper says of N classes. Solid: L_p, the largest ‖∂p/∂e‖₂ of the class probabilities ' +
  'p = softmax(z). Dashed: L_f/√N of the same models, L_f the largest ‖∂z/∂e‖₂ of their logits z. Both are the ' +
  'largest on rows to validate on, so estimates from below, of the best epoch, and means over seeds. A softmax ' +
  'has slopes of at most ½, so that the bound must hold up to N = 4.';

const slopesOf = ({ result: { lipschitz } }: Run): readonly BestSlopes[] =>
  lipschitz === null ? [] : [lipschitz];

/** The bound of the paper beside what is measured, for heads that differ in the number of classes. */
export function boundFigure(drawing: Drawing, one: Case): Figure | Missing {
  const measured = one.groups.filter(({ runs }) => runs.some((run) => run.result.lipschitz !== null));
  const multi = measured.filter(({ head }) => head.classes !== null);
  const ratios = [...new Set(multi.map(({ head }) => head.ratio))];
  const series = ratios
    .map((ratio) => ({ ratio, groups: multi.filter(({ head }) => head.ratio === ratio) }))
    .filter(({ groups }) => new Set(groups.map(({ head }) => head.classes)).size > 1);
  if (series.length === 0) {
    const reason = 'it takes several numbers of classes; train with --lipschitz and several of --rating_bins';
    return { title, reason };
  }
  const lines = series.flatMap(({ ratio, groups }, i): readonly Line[] => [
    {
      label: `ratio ${ratio}: L_p`,
      color: i + 1,
      points: pointsOf(groups, (slopes) => slopes.probabilities),
    },
    { label: `ratio ${ratio}: L_f/√N`, color: i + 1, dashed: true, points: pointsOf(groups, boundOf) },
  ]);
  const binary = binaryOf(one);
  const rows = [...(binary ? [binary] : []), ...series.flatMap(({ groups }) => groups)];
  return {
    id: 'bound',
    title,
    note,
    svg: linesSvg(drawing, title, { x: 'N, classes', y: 'largest slope' }, lines),
    table: {
      columns: ['', 'L_p', 'L_f', 'L_f/√N', 'holds in', 'of seeds'],
      rows: rows.filter((group) => measured.includes(group)).map(rowOf),
    },
  };
}

const boundOf = ({ logits }: BestSlopes, classes: number) => logits / Math.sqrt(classes);

function pointsOf(
  groups: readonly Group[],
  of: (slopes: BestSlopes, classes: number) => number,
): Line['points'] {
  const points = groups.map(({ head, runs }) => {
    const classes = head.classes ?? 1;
    return { x: classes, ...meanStd(runs.flatMap(slopesOf).map((slopes) => of(slopes, classes))) };
  });
  return points.sort((a, b) => a.x - b.x);
}

function rowOf({ head, runs }: Group): readonly string[] {
  const all = runs.flatMap(slopesOf);
  const text = (of: (slopes: BestSlopes) => number) => spreadText(meanStd(all.map(of)));
  const measured = [head.label, text((one) => one.probabilities), text((one) => one.logits)];
  const { classes } = head;
  if (classes === null) return [...measured, '', '', String(all.length)];
  const holds = all.filter((one) => one.probabilities <= boundOf(one, classes)).length;
  return [...measured, text((one) => boundOf(one, classes)), String(holds), String(all.length)];
}
