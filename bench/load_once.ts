/**
 * Loads a data set up to the words that go to a device, and says in one line of JSON how long that took; what starts
 * Node and compiles modules is not counted. Started by load.ts.
 *
 *   node dist/bench/load_once.js --dataset=NAME --data_path=FOLDER …
 */
import { resolveData } from '../cli/data/options.js';
import { parseFlags } from '../cli/config/flags.js';
import { loadDataset } from '../data/dataset.js';
import { packFeatures } from '../models/index.js';

/** What a process says that has loaded a data set. */
export interface Loaded {
  readonly name: string;
  readonly ms: number;
  readonly cpuMs: number;
  /** Interactions that the filters leave, and ids of each token field. */
  readonly rows: number;
  readonly sizes: Readonly<Record<string, number>>;
}

const options = resolveData(parseFlags(process.argv.slice(2)));
const [start, before] = [performance.now(), process.cpuUsage()];
const dataset = await loadDataset(options);
packFeatures(dataset);
const ms = performance.now() - start;
const { user, system } = process.cpuUsage(before);
const { token, tokenSeq } = dataset.schema;
const sizes = Object.fromEntries([...token, ...tokenSeq].map(({ name, cardinality }) => [name, cardinality]));
const loaded: Loaded = { name: 'ours', ms, cpuMs: (user + system) / 1000, rows: dataset.inter.rows, sizes };
console.log(JSON.stringify(loaded));
