import { existsSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { fromFile, fromFlags, type Assignment } from '../config/assignment.js';
import { parseFlags, type Flags } from '../config/flags.js';
import { helpText, type CommandHelp } from '../config/help.js';
import { isDict, plainText, type ConfigValue } from '../config/literal.js';
import { findModel, modelsWith, modelTable, type ModelOptions } from '../config/models.js';
import { bool, choice, int, optional, text, type OptionTable, type OptionValues } from '../config/option.js';
import { generalOptions, trainOptions } from '../config/options.js';
import { ConfigError } from '../errors.js';
import type { Cell } from './cell.js';
import { axisAliases, matrixOptions, type Matrix, type OptionsOf } from './matrix.js';

/** What can run the cells of an experiment instead of this process. */
export type Scheduler = 'slurm' | 'parallel' | 'k8s';

/** What to do with an experiment; nothing here changes its results. */
export const manageOptions = {
  name: optional(text('', 'name of the experiment; None: of the plan file, else of data sets and models')),
  grid: bool(false, 'the matrix is that of the options, without a plan file'),
  jobs: int(1, 'runs at once; they share the threads', { min: 1, max: 1024 }),
  threads: generalOptions.threads,
  extend: bool(false, 'add the cells of a changed plan to those that are there'),
  emit: optional(
    choice<Scheduler>('slurm', ['slurm', 'parallel', 'k8s'], 'write this for a scheduler instead of running'),
  ),
  image: text('ctr-webgpu:latest', 'image of the program, for --emit=k8s'),
  claim: text('ctr-webgpu', 'persistent volume claim with dataset/ and saved/, for --emit=k8s'),
  collect: bool(false, 'gather what is finished, without running'),
  cell: optional(text('', 'run this cell alone: its name, or its number from 0')),
  checkpoint_dir: text('saved', 'folder of experiments/<name>'),
  quiet: bool(false, 'print only the results'),
  show_progress: bool(true, 'a progress bar on a terminal'),
} as const satisfies OptionTable;

/** What to do with an experiment. */
export type Manage = OptionValues<typeof manageOptions>;

/** The help text of a command that trains a matrix. */
export const matrixHelp = (help: CommandHelp): Promise<string> =>
  helpText(help, [
    { title: 'Matrix', options: matrixOptions },
    { title: 'Experiment', options: manageOptions },
  ]);

/** A matrix as asked for; `given` has the axes that were. */
export interface Asked {
  readonly manage: Manage;
  readonly given: Partial<Matrix>;
  /** Name of the plan file. */
  readonly title: string | null;
  /** Further options: of the plan file under those of the command line. */
  readonly optionsOf: OptionsOf;
  /** Throws ConfigError if an option is of no cell's model. */
  checkUsed(cells: readonly Cell[]): void;
}

/** Parts of a plan file with options for some of the cells, by what they have in common. */
const scopes = { per_model: 'model', per_dataset: 'dataset' } as const;

const axisOf = (name: string): string => (Object.hasOwn(axisAliases, name) ? axisAliases[name] : name);
const isAxis = ({ name }: Assignment) => Object.hasOwn(matrixOptions, axisOf(name));
const isOther = (one: Assignment) =>
  !isAxis(one) && !Object.hasOwn(manageOptions, one.name) && !Object.hasOwn(scopes, one.name);

/** Reads `[plan.yaml] --name=value …`; flags win over the plan. Throws ConfigError. */
export function readAsked(argv: readonly string[], models: readonly ModelOptions[]): Asked {
  const [path, flags] = planAndFlags(argv);
  const typed = fromFlags(flags);
  const planned = path === null ? [] : fromFile(path, 'file');
  const all = [...planned, ...typed];
  const managing = all.filter(({ name }) => Object.hasOwn(manageOptions, name));
  const given = valuesOf(matrixOptions, all.filter(isAxis), true) as Partial<Matrix>;
  const [common, flagged] = [trainTexts(planned.filter(isOther)), trainTexts(typed.filter(isOther))];
  const scoped = scopedOptions(planned);
  return {
    manage: valuesOf(manageOptions, managing) as Manage,
    given: withNames(given, models),
    title: path === null ? null : basename(path, extname(path)),
    optionsOf: (model, dataset) => ({
      ...fitting(common, model, models),
      ...scoped('per_dataset', dataset),
      ...scoped('per_model', model),
      ...fitting(flagged, model, models),
    }),
    checkUsed(cells) {
      checkScopes(planned, cells);
      const used = new Set(cells.flatMap(({ options }) => Object.keys(options)));
      const idle = all.filter(isOther).find(({ name }) => !used.has(name));
      if (idle === undefined) return;
      const owners = modelsWith(idle.name, models).join(', ');
      throw new ConfigError(`${idle.where}: an option of ${owners}, not of these models; leave it out`);
    },
  };
}

/** The axes as given, with the usual ones for the rest; merged ratings stand for classes. */
export function completeMatrix(given: Partial<Matrix>): Matrix {
  const axes = Object.entries(matrixOptions).map(([name, option]) => [name, option.default] as const);
  const classes = given.rating_bins?.length && given.multi_cls === undefined ? { multi_cls: [] } : {};
  return { ...(Object.fromEntries(axes) as Matrix), ...classes, ...given };
}

function planAndFlags(argv: readonly string[]): readonly [string | null, Flags] {
  if (argv.length === 0 || argv[0].startsWith('-')) return [null, parseFlags(argv)];
  const [path, ...rest] = argv;
  if (!existsSync(path))
    throw new ConfigError(`${path}: no such plan; give a YAML file, or flags such as --models=FM`);
  return [path, parseFlags(rest)];
}

/** The last of each; the defaults of the others unless only what is given counts. */
function valuesOf(table: OptionTable, assignments: readonly Assignment[], onlyGiven = false): object {
  const values = assignments.map((one) => [axisOf(one.name), one.read(table[axisOf(one.name)])] as const);
  const defaults = onlyGiven
    ? []
    : Object.entries(table).map(([name, option]) => [name, option.default] as const);
  return Object.fromEntries([...defaults, ...values]);
}

function withNames(given: Partial<Matrix>, models: readonly ModelOptions[]): Partial<Matrix> {
  if (given.models === undefined) return given;
  return { ...given, models: given.models.map((name) => findModel(name, models).name) };
}

/** Options that each cell has its own of. */
const perCell: ReadonlySet<string> = new Set(['resume', 'weights', 'saved']);

/** Whether `train` takes them is its to say, once the cells are known. */
function trainTexts(list: readonly Assignment[]): ReadonlyMap<string, string> {
  for (const { name, where } of list) {
    if (perCell.has(name)) throw new ConfigError(`${where}: not for a matrix of runs; leave it out`);
  }
  return new Map(list.map((one) => [one.name, plainText(one.value)]));
}

/** Leaves out what is an option of other models only. */
function fitting(
  options: ReadonlyMap<string, string>,
  model: string,
  models: readonly ModelOptions[],
): Readonly<Record<string, string>> {
  const own = modelTable(findModel(model, models));
  const fits = (name: string) =>
    Object.hasOwn(own, name) || Object.hasOwn(trainOptions, name) || modelsWith(name, models).length === 0;
  return Object.fromEntries([...options].filter(([name]) => fits(name)));
}

const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

/** The names that a scope gives options to. Throws ConfigError if it is written otherwise. */
function scopeEntries({ name, value, where }: Assignment): readonly (readonly [string, ConfigDict])[] {
  const entries = isDict(value) ? Object.entries(value) : [];
  if (isDict(value) && entries.every((entry): entry is [string, ConfigDict] => isDict(entry[1])))
    return entries;
  throw new ConfigError(`${where}: not options by name; write ${name}: {FM: {learning_rate: 0.005}}`);
}

type ConfigDict = { readonly [key: string]: ConfigValue };

function scopedOptions(planned: readonly Assignment[]) {
  return (scope: keyof typeof scopes, of: string): Readonly<Record<string, string>> => {
    const stated = planned.filter(({ name }) => name === scope).flatMap(scopeEntries);
    const options = stated.find(([name]) => same(name, of))?.[1] ?? {};
    return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, plainText(value)]));
  };
}

/** A misspelt name would leave its options without effect. */
function checkScopes(planned: readonly Assignment[], cells: readonly Cell[]): void {
  for (const [scope, part] of Object.entries(scopes)) {
    for (const one of planned.filter(({ name }) => name === scope)) {
      const idle = scopeEntries(one).find(([name]) => !cells.some((cell) => same(cell[part], name)));
      if (idle === undefined) continue;
      const have = [...new Set(cells.map((cell) => cell[part]))].join(', ');
      throw new ConfigError(`${one.where}: ${idle[0]} is no ${part} of this plan; have ${have}`);
    }
  }
}
