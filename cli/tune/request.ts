import { models } from '../../models/index.js';
import { fromFile, fromFlags, type Assignment } from '../config/assignment.js';
import { flagLabel, parseFlags, readCommand, unknownOption, type Flags } from '../config/flags.js';
import { plainText, type ConfigValue } from '../config/literal.js';
import { findModel } from '../config/models.js';
import { readFlag, type Option } from '../config/option.js';
import { knownTo, pick } from '../config/resolve.js';
import { runOptions } from '../config/run_options.js';
import type { TrainConfig } from '../config/train_config.js';
import { loadTrainConfig } from '../config.js';
import { ConfigError } from '../errors.js';
import { prepareDataset, requireDataset } from '../open.js';
import { refused, tuneHelp, tuneOptions, unsearchable, type TuneOptions } from './options.js';
import { openSearch, type Search } from './search.js';
import { readSpace, valueOf, type Dimension, type Params } from './space.js';
import { flagsOf } from './trials.js';

/** A search as its command line asks for it. */
export interface TuneRequest {
  readonly options: TuneOptions;
  readonly space: readonly Dimension[];
  readonly search: Search;
  /** Flags of `train` that every trial gets. */
  readonly argv: readonly string[];
  /** The same options as plain values, those of config files among them. */
  readonly base: Params;
  /** Of a trial in the middle of the space. */
  readonly config: TrainConfig;
}

const argvOf = (flags: Flags): readonly string[] =>
  [...flags].map(([name, value]) => (value === true ? `--${name}` : `--${name}=${value}`));

const isOwn = (name: string) => Object.hasOwn(tuneOptions, name) || name === 'help';

/** What RecBole's Ray stands for: its scheduler ends trials by successive halving. */
const rayFlags: Flags = new Map([
  ['algo', 'random'],
  ['pruner', 'halving'],
]);

/** Reads the command line and checks every line of the params file. Throws ConfigError. */
export async function readTuneRequest(
  argv: readonly string[],
): Promise<{ readonly help: string } | TuneRequest> {
  const flags = parseFlags(argv);
  for (const [name, value] of flags) {
    if (Object.hasOwn(refused, name)) {
      throw new ConfigError(`${flagLabel(name, value)}: not an option of tune; ${refused[name]}`);
    }
  }
  const own = new Map([...flags].filter(([name]) => isOwn(name)));
  const isRay = String(own.get('tool')).toLowerCase() === 'ray';
  const request = await readCommand(
    argvOf(new Map([...(isRay ? rayFlags : []), ...own])),
    tuneHelp,
    tuneOptions,
  );
  if ('help' in request) return request;
  const options = request.values;
  const space = readSpace(options.params_file);
  const shared = new Map([...flags].filter(([name]) => !isOwn(name)));
  if (!space.some(({ name }) => name === 'seed')) shared.set('seed', String(options.seed));
  const given = [...filesOf(shared), ...fromFlags(shared)];
  checkSpace(space, given);
  const search = openSearch(space, { ...options, startup: options.startup_trials });
  const config = await configOf([...argvOf(shared), ...flagsOf(middleOf(space))]);
  return { options, space, search, argv: argvOf(shared), base: baseOf(given), config };
}

function filesOf(flags: Flags): readonly Assignment[] {
  const paths = pick(runOptions.config_files, 'config_files', fromFlags(flags)) ?? [];
  return paths.flatMap((path) => fromFile(path, 'file'));
}

const baseOf = (given: readonly Assignment[]): Params =>
  Object.fromEntries(
    given.filter(({ name }) => name !== 'config_files').map(({ name, value }) => [name, value] as const),
  );

/** The configuration of a trial; what cannot be trained at all is told before the first. */
async function configOf(argv: readonly string[]): Promise<TrainConfig> {
  const request = await loadTrainConfig(argv, models, async (dataset, dataPath) => {
    await prepareDataset(dataset, dataPath);
  });
  if (request.kind !== 'run') throw new ConfigError('--resume: not an option of tune; leave it out');
  requireDataset(request.config);
  if (request.config.eval_step === 0) {
    throw new ConfigError('--eval_step=0: no epoch is evaluated, so no trial is better; give 1 or more');
  }
  return request.config;
}

const middleOf = (space: readonly Dimension[]): Params =>
  Object.fromEntries(
    space.map((one) => [
      one.name,
      one.kind === 'choice'
        ? one.values[0]
        : valueOf(one, one.prior === 'uniform' ? (one.a + one.b) / 2 : one.a),
    ]),
  );

/** Each dimension names an option of the model, and all of its values are good for it. */
function checkSpace(space: readonly Dimension[], given: readonly Assignment[]): void {
  const name = pick(runOptions.model, 'model', given);
  // What is missing is told with all that can be given.
  if (name === undefined) return;
  const { table } = knownTo(findModel(name, models), models);
  for (const dimension of space) {
    const { where, name } = dimension;
    if (unsearchable.has(name)) {
      throw new ConfigError(`${where}: must be the same for all trials; give it as a flag`);
    }
    const twice = given.find((one) => one.name === name && one.source === 'flag');
    if (twice) throw new ConfigError(`${where}: is also given as ${twice.where}; leave one of them out`);
    if (!Object.hasOwn(table, name)) throw unknownOption(where, name, Object.keys(table));
    checkValues(dimension, table[name]);
  }
}

function checkValues(dimension: Dimension, option: Option<ConfigValue>): void {
  const { where } = dimension;
  if (dimension.kind === 'choice') {
    for (const value of dimension.values) {
      const label = `${where}: choice ${plainText(value)}`;
      if (typeof value === 'string') readFlag(option, value, label);
      else option.read(value, label);
    }
    return;
  }
  const { prior, a, b, step } = dimension;
  if (option.kind === 'int' && !Number.isInteger(step ?? 0.5)) {
    throw new ConfigError(
      `${where}: wants whole numbers; give randint, choice, or quniform with a step of 1`,
    );
  }
  // The ends themselves are never drawn, values beside them are; a normal has no ends.
  const near = 1e-9 * (b - a);
  const ends = prior === 'uniform' ? [a + near, b - near] : [a];
  for (const value of ends.map((z) => valueOf(dimension, z)))
    option.read(value, `${where}: the value ${value}`);
}
