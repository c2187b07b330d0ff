import { jsContenders, jsTrainings, raceJs } from './js_rivals.js';
import { formatModels, modelContenders, paperTrainings, zipfTrainings } from './models.js';
import { formatRivals, type Report } from './report.js';
import type { TrainingSizes } from './rival.js';
import { contenders, race, usualTrainings } from './rivals.js';
import { modelText, shapeText } from './step.js';

/** Parts of a report that races fill. */
export type Compared = Pick<Report, 'rivals' | 'absent'>;

export interface RaceChoice {
  readonly adapter: string;
  /** Of the CPU target and of PyTorch in the races of models; others have one thread and all. */
  readonly threads?: number;
  /** Part of the names of the trainings. */
  readonly only: string;
}

/** Everyone's times in a training. */
type Race = (sizes: TrainingSizes) => Promise<Compared>;

interface Races {
  readonly trainings: readonly TrainingSizes[];
  /** Starts everyone once; `notes` say who is not there, and how to bring it. */
  prepare(choice: RaceChoice): Promise<{ race: Race; notes: readonly string[] }>;
  format(compared: Compared): string;
}

const effort = { sampleMs: 200, rounds: 7, patienceMs: 10_000 };

const withAbsent = ({ rivals, absent }: Compared) =>
  [formatRivals(rivals), ...absent.map(({ rival, shape, why }) => `${rival}, ${shape}: ${why}`)].join('\n');

const races = {
  rivals: {
    trainings: usualTrainings,
    async prepare({ adapter }) {
      const { all, notes } = await contenders(adapter);
      return { race: (sizes) => race(all, sizes, effort), notes };
    },
    format: withAbsent,
  },
  models: {
    trainings: [...paperTrainings, ...zipfTrainings],
    async prepare({ adapter, threads }) {
      const { all, notes } = await modelContenders(adapter, threads);
      return { race: (sizes) => race(all, sizes, effort), notes };
    },
    format: formatModels,
  },
  js: {
    trainings: jsTrainings,
    async prepare({ adapter }) {
      const { theirs, notes } = await jsContenders();
      return { race: (sizes) => raceJs(theirs, adapter, sizes, effort), notes };
    },
    format: withAbsent,
  },
} satisfies Record<string, Races>;

/** Names of the races: of adapters and PyTorch, of all models beside PyTorch, and of JavaScript's engines. */
export const racedParts = ['rivals', 'models', 'js'] as const satisfies readonly (keyof typeof races)[];

/** Runs and prints the races of a part; minutes, so that each training is said when it is done. */
export async function benchRaces(part: (typeof racedParts)[number], choice: RaceChoice): Promise<Compared> {
  const { trainings, prepare, format }: Races = races[part];
  const { race, notes } = await prepare(choice);
  for (const note of notes) console.log(note);
  console.log('Everything that a step of training costs, in turns, each rival a process of its own.\n');
  const results: Compared[] = [];
  for (const sizes of trainings) {
    const name = `${modelText(sizes)}, ${shapeText(sizes)}`;
    if (!name.includes(choice.only)) continue;
    results.push(await race(sizes));
    process.stderr.write(`done: ${name}\n`);
  }
  const compared = {
    rivals: results.flatMap(({ rivals }) => rivals),
    absent: results.flatMap(({ absent }) => absent),
  };
  console.log(format(compared));
  return compared;
}
