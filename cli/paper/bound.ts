import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { splitDataset } from '../../data/dataset.js';
import { models } from '../../models/index.js';
import { runTraining } from '../cells/run.js';
import { flagLabel, parseFlags, readCommand, type Flags } from '../config/flags.js';
import { plainText } from '../config/literal.js';
import { ConfigError } from '../errors.js';
import { loadTrainConfig } from '../config.js';
import type { TrainConfig } from '../config/train_config.js';
import { atomicWrite } from '../files.js';
import { openLogger, type Logger } from '../logger.js';
import { openDataset, prepareDataset, requireDataset } from '../open.js';
import { catchStop } from '../train/interruption.js';
import { boundHelp, boundOptions, refusedFlags, type BoundOptions } from './bound_options.js';
import { boundTable, type BoundRow } from './bound_table.js';

/** More classes than a rating scale has; of more distinct ratings nobody wants a training each. */
const mostClasses = 20;

/** What is asked for. */
interface Request {
  readonly options: BoundOptions;
  /** Flags of `train` for every run. */
  readonly argv: readonly string[];
  readonly config: TrainConfig;
}

const argvOf = (flags: Flags): readonly string[] => [...flags].map(([name, value]) => flagLabel(name, value));

/** Reads the command line: its own options, and those of training. Throws ConfigError. */
async function readRequest(argv: readonly string[]): Promise<{ readonly help: string } | Request> {
  const flags = parseFlags(argv);
  const isOwn = (name: string) => name === 'help' || Object.hasOwn(boundOptions, name);
  const request = await readCommand(
    argvOf(new Map([...flags].filter(([name]) => isOwn(name)))),
    boundHelp,
    boundOptions,
  );
  if ('help' in request) return request;
  const shared = [...flags].filter(([name]) => !isOwn(name));
  for (const [name, value] of shared) {
    if (!Object.hasOwn(refusedFlags, name)) continue;
    throw new ConfigError(`${flagLabel(name, value)}: not an option of bound; ${refusedFlags[name]}`);
  }
  const trainArgv = [...argvOf(new Map(shared)), '--lipschitz=True'];
  const loaded = await loadTrainConfig(trainArgv, models, async (dataset, dataPath) => {
    await prepareDataset(dataset, dataPath);
  });
  if (loaded.kind !== 'run') throw new ConfigError('bound: takes the options of a new training');
  requireDataset(loaded.config);
  if (loaded.config.multi_cls !== null) {
    throw new ConfigError(
      'bound: multi_cls or rating_bins stands in a file; take it out, and give --classes',
    );
  }
  return { options: request.values, argv: trainArgv, config: loaded.config };
}

/**
 * `paper bound`: trains the label alone and 2 … N classes of merged ratings, and sets the paper's bound beside what is
 * measured. Goes on after an interruption. Throws ConfigError, DataError, CheckpointError, DeviceError.
 */
export async function bound(argv: readonly string[]): Promise<void> {
  const request = await readRequest(argv);
  if ('help' in request) return void console.log(request.help);
  const { config, options } = request;
  const { quiet } = config;
  const logger = openLogger({ folder: null, state: 'INFO', quiet });
  const folder = join(options.bound_dir, options.name ?? `${config.model}-${config.dataset}`);
  const stop = catchStop();
  try {
    const counts = options.classes ?? (await allClasses(config));
    await claim(folder, request, counts);
    const rows: BoundRow[] = [];
    for (const count of [1, ...counts]) {
      const row = await measured(folder, request, count, stop.signal, logger);
      if (row === null) return sayStopped(logger, folder);
      rows.push(row);
      await keep(folder, request, counts, rows);
    }
    logger.result(boundTable(rows));
    await atomicWrite(join(folder, 'bound.txt'), `${boundTable(rows)}\n`);
    logger.info(`kept in ${join(folder, 'bound.json')} and bound.txt`);
  } finally {
    if (stop.signal.aborted) process.exitCode = stop.exitCode();
    stop.destroy();
    logger.destroy();
  }
}

function sayStopped(logger: Logger, folder: string): void {
  logger.warning(`stopped; the same command goes on in ${folder}`);
}

/** 2 … as many classes as the training rows have ratings. Throws DataError or ConfigError. */
async function allClasses(config: TrainConfig): Promise<readonly number[]> {
  const dataset = await openDataset(config, () => {});
  const { train } = splitDataset(dataset, config.data);
  const { rating } = dataset;
  const distinct = rating === null ? 0 : new Set(Array.from(train, (row) => rating[row])).size;
  if (distinct >= 2 && distinct <= mostClasses) return Array.from({ length: distinct - 1 }, (_, i) => i + 2);
  throw new ConfigError(
    `--classes: the training rows of ${config.dataset} have ${distinct} distinct ratings; ` +
      'give the numbers of classes, such as --classes=[2, 3, 5]',
  );
}

interface Kept {
  readonly version: 1;
  readonly flags: readonly string[];
  readonly classes: readonly number[];
  readonly rows: readonly BoundRow[];
}

function keep(
  folder: string,
  { argv }: Request,
  classes: readonly number[],
  rows: readonly BoundRow[],
): Promise<void> {
  const kept: Kept = { version: 1, flags: [...argv].sort(), classes, rows };
  return atomicWrite(join(folder, 'bound.json'), JSON.stringify(kept, null, 2));
}

/** Makes the folder, or sees that what is in it are runs with the same flags. Throws ConfigError. */
async function claim(folder: string, request: Request, classes: readonly number[]): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const before = await readFile(join(folder, 'bound.json'), 'utf8').catch(() => null);
  if (before === null) return keep(folder, request, classes, []);
  const { flags } = JSON.parse(before) as Kept;
  const now = [...request.argv].sort();
  if (plainText([...flags]) === plainText(now)) return;
  throw new ConfigError(
    `${folder}: holds runs of ${flags.join(' ')}; give the same options, or another --name`,
  );
}

/** Flags of the training of so many classes; 1 is the label alone. */
const cellFlags = ({ argv, options }: Request, classes: number): readonly string[] =>
  classes === 1 ? argv : [...argv, `--rating_bins=${classes}`, `--multi_ratio=${options.multi_ratio}`];

/** Trains one number of classes, if that is not done; null where it was stopped. */
async function measured(
  folder: string,
  request: Request,
  classes: number,
  signal: AbortSignal,
  logger: Logger,
): Promise<BoundRow | null> {
  const name = classes === 1 ? 'binary' : `classes-${classes}`;
  logger.info(`${name}: training`);
  const end = await runTraining({ folder: join(folder, name), argv: cellFlags(request, classes), signal });
  if (end.kind === 'stopped') return null;
  if (end.kind !== 'finished') {
    throw new ConfigError(`${name}: ${end.kind === 'failed' ? end.reason : 'was ended'}`);
  }
  const { best_epoch, valid, test, lipschitz } = end.result;
  if (lipschitz === null) {
    throw new ConfigError(`${end.run}: trained before slopes were kept; remove it, and it is trained again`);
  }
  return { classes, run: end.run, best_epoch, valid, test, ...lipschitz };
}
