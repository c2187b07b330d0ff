import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openArchive, type Archive } from '../../data/convert/archive.js';
import { knownSet, knownSets, type KnownSet } from '../../data/convert/known.js';
import { datasetName } from '../../data/convert/names.js';
import { planOf, type Plan } from '../../data/convert/plan.js';
import { prepareSet, type BadRows, type Prepared } from '../../data/convert/prepare.js';
import { compareSizes, sizeOf } from '../../data/convert/sizes.js';
import { readCommand } from '../config/flags.js';
import type { CommandHelp } from '../config/help.js';
import {
  bool,
  choice,
  float,
  optional,
  text,
  type OptionTable,
  type OptionValues,
} from '../config/option.js';
import { packageRoot } from '../config/files.js';
import { ConfigError } from '../errors.js';
import { logPlan, logSettings } from './log.js';
import { meter } from './meter.js';

const help: CommandHelp = {
  name: 'data',
  subcommand: 'prepare',
  summary:
    "node cli/data.js prepare: writes a data set from what you have downloaded: archives of RecBole, publishers' own " +
    'files, or any log of interactions. Repeated after an interruption, it goes on with the file it was at.',
  examples: [
    'node cli/data.js prepare --dataset=ml-1m --from=Downloads/ml-1m.zip',
    'node cli/data.js prepare --dataset=yelp2018 --from=Downloads/yelp_dataset',
    'node cli/data.js prepare --dataset=amazon-books --from=Downloads/amazon',
    'node cli/data.js prepare --dataset=shop --from=log.csv --user=visitor --item=sku --rating=stars --threshold=4 ' +
      '--fields=device:token,price:float',
  ],
};

const column = (what: string) => optional(text('', `of a log: the column of ${what}`));

const table = {
  dataset: text('', `the data set: ${knownSets.map(({ name }) => name).join(', ')}, or a name of your own`),
  from: text('', 'a folder, a .zip or a log (.csv, .tsv, .jsonl, also .gz, or .parquet)'),
  data_path: text('dataset/', 'folder of the data sets; the files go to <data_path>/<dataset>'),
  bad_rows: choice<BadRows>('stop', ['stop', 'skip'], 'what becomes of rows that cannot be used'),
  user: column('user ids'),
  item: column('item ids'),
  rating: column('ratings'),
  timestamp: column('times, in seconds or as dates'),
  fields: optional(
    text('', 'of a log: further columns, as name:type,name:type; token, token_seq, float, float_seq'),
  ),
  threshold: optional(float(4, 'of a log: the rating from which the label is 1')),
  delimiter: optional(text('', 'of a CSV log: what stands between cells; None: a tab in .tsv, else a comma')),
  header: bool(true, 'of a CSV log: its first line names the columns; False: they are called 1, 2, 3 …'),
} as const satisfies OptionTable;

/** What `prepare` was asked for. */
export type PrepareOptions = OptionValues<typeof table>;

/** `data prepare`: writes the set and says what it holds. Throws ConfigError or DataError. */
export async function prepare(argv: readonly string[]): Promise<void> {
  const request = await readCommand(argv, help, table);
  if ('help' in request) return void console.log(request.help);
  const options = { ...request.values, dataset: datasetName(request.values.dataset) };
  checkName(options.dataset);
  const archive = await openArchive(options.from);
  try {
    const started = performance.now();
    const prepared = await made(options, archive);
    report(options, prepared, (performance.now() - started) / 1000);
  } finally {
    archive.close();
  }
}

/** The name becomes a folder and the stem of its files. */
function checkName(name: string): void {
  if (/^[\p{L}\p{N}_][\p{L}\p{N}_.+-]*$/u.test(name)) return;
  throw new ConfigError(
    `--dataset=${name}: names no data set; give letters, digits and _ . + - without a path`,
  );
}

async function made(options: PrepareOptions, archive: Archive): Promise<Prepared> {
  const { dataset, data_path, bad_rows } = options;
  const set = knownSet(dataset);
  const log = isLog(options, set);
  const plan: Plan = log ? logPlan(options, archive) : planOf(dataset, set, archive);
  console.log(`${join(data_path, dataset)}: from ${archive.path}, ${plan.form}`);
  return prepareSet({
    name: dataset,
    dataPath: data_path,
    archive,
    plan,
    badRows: bad_rows,
    ...(log ? logSettings(options) : { settings: {} }),
    note: (line) => console.log(line),
    progress: meter(),
  });
}

/** The options that only a log has. */
const logOptions = ['user', 'item', 'rating', 'timestamp', 'fields', 'threshold', 'delimiter'] as const;

function isLog(options: PrepareOptions, set: KnownSet | null): boolean {
  const given = logOptions.find((name) => options[name] !== null);
  if (given === undefined) return false;
  if (set !== null) {
    throw new ConfigError(
      `--${given}: a log cannot become ${set.name}, which has been published; give it another --dataset`,
    );
  }
  const lacking = (['user', 'item'] as const).find((name) => options[name] === null);
  if (lacking !== undefined)
    throw new ConfigError(`--${lacking}: missing; name the log's column of ${lacking} ids`);
  return true;
}

function report(
  { dataset, data_path }: PrepareOptions,
  { folder, manifest, made }: Prepared,
  seconds: number,
): void {
  if (!made) console.log(`${folder}: was made from this before; nothing to do`);
  for (const { file, rows, rejected } of Object.values(manifest.tables)) {
    const left = rejected > 0 ? `, ${grouped(rejected)} left out` : '';
    console.log(`${file}: ${grouped(rows)} rows${left}`);
  }
  const { users, items, interactions } = sizeOf(manifest);
  console.log(
    `${grouped(users[0] ?? 0)} users and ${grouped(items[0] ?? 0)} items in ${grouped(interactions)} interactions`,
  );
  const set = knownSet(dataset);
  for (const line of compareSizes(dataset, sizeOf(manifest), set?.sizes ?? [])) console.log(line);
  if (set !== null) console.log(`licence: ${set.licence}`);
  if (made) console.log(`done in ${seconds.toFixed(1)} s; see and train it with:`);
  const place = join(data_path) === join('dataset/') ? '' : ` --data_path=${data_path}`;
  console.log(`  node cli/data.js info --dataset=${dataset}${place}`);
  console.log(`  node cli/train.js --model=FM --dataset=${dataset}${place}${hint(folder, dataset)}`);
}

/** What a set without settings of its own needs to have a label. */
function hint(folder: string, dataset: string): string {
  const files = [
    join(packageRoot(), 'data', 'properties', `${dataset}.yaml`),
    join(folder, `${dataset}.yaml`),
  ];
  return files.some((file) => existsSync(file)) ? '' : ` --threshold="{'rating': 4}"`;
}

const grouped = (count: number): string => count.toLocaleString('en-US');
