import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generalOptions } from '../config/options.js';
import { ConfigError } from '../errors.js';
import { atomicWrite } from '../files.js';
import { cellName, type Cell, type Plan } from './cell.js';

/** The folder of an experiment. */
export function experimentFolder(checkpointDir: string, name: string): string {
  if (/^[\w.+@-]{1,120}$/.test(name) && !name.startsWith('.'))
    return join(checkpointDir, 'experiments', name);
  throw new ConfigError(`--name=${name}: not fit for a folder; give up to 120 letters, digits and . _ + @ -`);
}

/** The folder that is a cell's --checkpoint_dir. */
export const cellFolder = (folder: string, cell: Cell): string => join(folder, 'cells', cellName(cell));

const planPath = (folder: string) => join(folder, 'plan.json');

/** The plan of an experiment that was begun, or null. Throws ConfigError if it is damaged. */
export function readPlan(folder: string): Plan | null {
  const path = planPath(folder);
  if (!existsSync(path)) return null;
  try {
    const { version, ...plan } = JSON.parse(readFileSync(path, 'utf8')) as Plan & {
      readonly version: number;
    };
    if (version === 1 && Array.isArray(plan.cells)) return plan;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new ConfigError(`${path}: damaged; delete it, and the same plan goes on with its cells`);
}

/**
 * Keeps the plan under its name. A plan whose results would be others than those of the plan that is there is
 * refused with a ConfigError; `extend` takes one that has all its cells and more.
 */
export async function keepPlan(folder: string, plan: Plan, extend: boolean): Promise<void> {
  const before = readPlan(folder);
  if (before !== null) {
    const change = changeOf(before, plan, extend);
    if (change !== null) throw new ConfigError(`${folder}: planned otherwise before: ${change}`);
  }
  mkdirSync(folder, { recursive: true });
  await atomicWrite(planPath(folder), `${JSON.stringify({ version: 1, ...plan }, null, 1)}\n`);
}

function changeOf(before: Plan, plan: Plan, extend: boolean): string | null {
  const now = new Map(plan.cells.map((cell) => [cellName(cell), meaning(cell)]));
  const then = new Map(before.cells.map((cell) => [cellName(cell), meaning(cell)]));
  for (const [name, options] of then) {
    const other = now.get(name);
    if (other === undefined) {
      return `${name} was planned then and is not now; give another --name, or all its cells and --extend`;
    }
    if (other !== options) return `${name} had ${options}, now ${other}; give another --name`;
  }
  const added = [...now.keys()].filter((name) => !then.has(name));
  if (added.length === 0 || extend) return null;
  return `${added[0]} is new (${then.size} cells then, ${now.size} now); give --extend to add it, or another --name`;
}

/** The options of a cell that decide its result. */
function meaning({ options }: Cell): string {
  const deciding = Object.entries(options).filter(([name]) => !Object.hasOwn(generalOptions, name));
  return deciding.length === 0
    ? 'no options'
    : deciding
        .map(([name, value]) => `--${name}=${value}`)
        .sort()
        .join(' ');
}
