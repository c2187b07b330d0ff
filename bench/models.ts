import { availableParallelism } from 'node:os';
import { paperSettings } from '../cli/paper/settings.js';
import { models, type OptionValue } from '../models/index.js';
import { table, type Report } from './report.js';
import { findTorch, installTorch, ours, torch, type TrainingSizes } from './rival.js';
import type { Contender, RivalRow } from './rivals.js';

const names = [
  ...['LR', 'FM', 'WideDeep', 'DeepFM', 'DCN', 'DCNV2'],
  ...['AutoInt', 'NFM', 'xDeepFM', 'FiGNN', 'EulerNet'],
];

/** All options of a model: the paper's on ml-1m, defaults where it says nothing. Throws Error for a model not there. */
export function paperOptions(name: string): Record<string, OptionValue> {
  const found = models.find((model) => model.name === name);
  if (found === undefined) throw new Error(`bench: no model is called ${name}`);
  const setting = paperSettings.find(({ dataset, model }) => dataset === 'ml-1m' && model === name);
  const said = (option: string, fallback: OptionValue): OptionValue => {
    const typed = setting?.options[option];
    if (typed === undefined) return fallback;
    return typeof fallback === 'string' ? typed : (JSON.parse(typed.toLowerCase()) as OptionValue);
  };
  return Object.fromEntries(
    Object.entries(found.config).map(([option, { default: fallback }]) => [option, said(option, fallback)]),
  );
}

const training = (model: string, classes: number, more: Partial<TrainingSizes> = {}): TrainingSizes => ({
  ...{ model, classes, batch: 4096, vocabulary: 12_000, embeddingSize: 16, epochSteps: 196 },
  ...{ options: paperOptions(model), ...more },
});

/** Every model as the paper trains it on ml-1m, of one class and of five. */
export const paperTrainings: readonly TrainingSizes[] = names.flatMap((model) =>
  [1, 5].map((classes) => training(model, classes)),
);

/** What a large vocabulary costs: ids of which few are named often. */
export const zipfTrainings: readonly TrainingSizes[] = [12_000, 1_000_000].map((vocabulary) =>
  training('FM', 1, { vocabulary, ids: 'zipf' }),
);

/** Ours and PyTorch, both on as many threads (all that there are if none are given); a note where PyTorch is not there. */
export async function modelContenders(
  adapter: string,
  threads = availableParallelism(),
): Promise<{ all: Contender[]; notes: string[] }> {
  const on = `${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  const choice = adapter === 'auto' ? 'cpu' : adapter;
  const mine: Contender = {
    name: choice === 'cpu' ? `CPU target, ${on}` : choice,
    command: ours(choice, choice === 'cpu' ? threads : undefined),
    isTorch: false,
  };
  const python = await findTorch();
  if (python === undefined) return { all: [mine], notes: [installTorch] };
  return {
    all: [mine, { name: `PyTorch, ${on}`, command: torch(python, threads), isTorch: true }],
    notes: [],
  };
}

/** A model's step, ours and theirs. */
interface Pair {
  readonly mine: RivalRow;
  readonly theirs?: RivalRow;
}

function pairsOf(rows: readonly RivalRow[]): Pair[] {
  const same = (a: RivalRow, b: RivalRow) => a.name === b.name && a.shape === b.shape;
  return rows
    .filter(({ isTorch }) => !isTorch)
    .map((mine) => ({ mine, theirs: rows.find((row) => row.isTorch && same(row, mine)) }));
}

const ratioOf = ({ mine, theirs }: Pair, of: 'medianMs' | 'cpuMs') => theirs && theirs[of] / mine[of];

const text = (value: number | undefined, digits = 2) => value?.toFixed(digits) ?? '';

/** Mean of ratios, by their logarithms. */
const geometricMean = (ratios: readonly number[]) =>
  Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);

function meanLine(pairs: readonly Pair[]): string {
  const of = (time: 'medianMs' | 'cpuMs') =>
    geometricMean(pairs.flatMap((pair) => ratioOf(pair, time) ?? [])).toFixed(2);
  return `geometric mean of the ${pairs.length} at V 12000: ${of('medianMs')} times PyTorch, ${of('cpuMs')} in CPU time`;
}

/** What the large vocabulary costs over the small one, for each side. */
function zipfLine(rows: readonly RivalRow[]): string[] {
  return [false, true].flatMap((isTorch) => {
    const [few, many] = rows.filter((row) => row.shape.endsWith('Zipf') && row.isTorch === isTorch);
    if (many === undefined) return [];
    const [wall, cpu] = [many.medianMs / few.medianMs, many.cpuMs / few.cpuMs];
    const what = `${many.rival}: 1,000,000 rows cost ${wall.toFixed(2)} times 12,000 rows`;
    return [`${what}, ${cpu.toFixed(2)} in CPU time`];
  });
}

/** Steps of models beside PyTorch's as text: medians, and the least that all threads computed. */
export function formatModels({ rivals, absent }: Pick<Report, 'rivals' | 'absent'>): string {
  const pairs = pairsOf(rivals);
  const header = ['training step', '', 'ms', 'PyTorch', '×', 'cpu ms', 'PyTorch', '×'];
  const lines = pairs.map((pair) => {
    const { mine, theirs } = pair;
    const times = [mine.medianMs, theirs?.medianMs, ratioOf(pair, 'medianMs')];
    return [
      mine.name,
      mine.shape,
      ...times.map((value) => text(value)),
      ...[mine.cpuMs, theirs?.cpuMs, ratioOf(pair, 'cpuMs')].map((value) => text(value)),
    ];
  });
  const paper = pairs.filter(({ mine, theirs }) => theirs !== undefined && !mine.shape.endsWith('Zipf'));
  return [
    [...new Set(rivals.map(({ rival }) => rival))].join(' and '),
    table(header, lines, 2),
    ...(paper.length > 0 ? [meanLine(paper)] : []),
    ...zipfLine(rivals),
    ...absent.map(({ rival, shape, why }) => `${rival}, ${shape}: ${why}`),
  ].join('\n');
}
