import type { Group } from './cases.js';
import { colorOf, dashes, type Drawing } from './draw.js';
import type { Figure, Missing } from './figure.js';
import { numberText, unknown } from './numbers.js';
import { binOf, calibrationError, pooled } from './series.js';

const title = 'Reliability';

/** Predicted against observed on the test part. */
export function calibrationFigure(drawing: Drawing, groups: readonly Group[]): Figure | Missing {
  const lines = groups
    .map(({ head, runs }, color) => {
      const bins = pooled(runs.map(({ result }) => result.calibration));
      return { label: head.label, color, bins, error: calibrationError(bins) };
    })
    .filter(({ bins }) => bins.length > 0);
  if (lines.length === 0) return { title, reason: 'no run has a test part' };
  const ends = [
    { x: 0, y: 0 },
    { x: 1, y: 1 },
  ];
  const { plot, svg } = drawing;
  const picture = svg(title, [...lines, { label: 'perfectly calibrated', dashed: true }], {
    x: { label: 'predicted probability', domain: [0, 1] },
    y: { label: 'share of label 1', domain: [0, 1], grid: true },
    r: { range: [0, 11] },
    marks: [
      plot.line(ends, { x: 'x', y: 'y', strokeDasharray: dashes, strokeOpacity: 0.7 }),
      ...lines.flatMap(({ bins, color }) => [
        plot.line(bins, { x: 'predicted', y: 'observed', stroke: colorOf(color), strokeWidth: 2 }),
        plot.dot(bins, { x: 'predicted', y: 'observed', r: 'rows', fill: colorOf(color), fillOpacity: 0.75 }),
      ]),
    ],
  });
  const note =
    'Test rows in tenths of predicted probability, all seeds together; larger dots are more rows. On the ' +
    'diagonal a prediction of 0.7 is right 7 times in 10. ECE is the mean distance from it, over rows.';
  return { id: 'reliability', title, note, svg: picture, table: tableOf(lines) };
}

type Line = { readonly label: string; readonly bins: ReturnType<typeof pooled>; readonly error: number };

function tableOf(lines: readonly Line[]): Figure['table'] {
  const tenths = [...new Set(lines.flatMap(({ bins }) => bins.map(({ predicted }) => binOf(predicted))))];
  const rows = tenths
    .sort((a, b) => a - b)
    .map((at) => [
      `${(at / 10).toFixed(1)} … ${((at + 1) / 10).toFixed(1)}`,
      ...lines.map(({ bins }) => {
        const bin = bins.find(({ predicted }) => binOf(predicted) === at);
        return bin === undefined
          ? unknown
          : `${bin.predicted.toFixed(3)} → ${bin.observed.toFixed(3)} (${bin.rows.toLocaleString('en-US')})`;
      }),
    ]);
  const errors = ['ECE', ...lines.map(({ error }) => numberText(error))];
  return {
    columns: ['predicted', ...lines.map(({ label }) => `${label}: predicted → observed (rows)`)],
    rows: [...rows, errors],
  };
}
