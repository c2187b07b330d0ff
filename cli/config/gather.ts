import { ConfigError } from '../errors.js';
import type { Assignment } from './assignment.js';
import { unknownOption } from './flags.js';
import { foreignOptions, isGeneralDefault, isHarmless } from './foreign.js';
import type { ConfigValue } from './literal.js';
import { modelsWith, type ModelOptions } from './models.js';
import type { OptionTable } from './option.js';
import { evaluationLayer } from './options.js';
import { runOptions } from './run_options.js';

/** Which options there are: all tables of a run in one, and the models to name in messages. */
export interface Known {
  readonly table: OptionTable;
  readonly model: ModelOptions;
  readonly models: readonly ModelOptions[];
}

/** What was set, by name. */
export interface Gathered {
  readonly values: ReadonlyMap<string, ConfigValue>;
  /** The assignment that won. */
  readonly winners: ReadonlyMap<string, Assignment>;
  readonly notes: readonly string[];
}

type Verdict = 'taken' | 'harmless' | 'general' | 'outranked';

function refusal({ name, where }: Assignment, { table, model, models }: Known): ConfigError {
  if (Object.hasOwn(foreignOptions, name)) {
    return new ConfigError(`${where}: not an option here; ${foreignOptions[name].reason}`);
  }
  const others = modelsWith(name, models);
  if (others.length > 0) {
    return new ConfigError(`${where}: an option of ${others.join(', ')}, not of ${model.name}; leave it out`);
  }
  return unknownOption(where, name, [...Object.keys(runOptions), ...Object.keys(table)]);
}

function judge(assignment: Assignment, known: Known): Verdict {
  const { name, source } = assignment;
  if (Object.hasOwn(known.table, name)) {
    if (source === 'dataset' && evaluationLayer.has(name)) return 'outranked';
    return source === 'file' && isGeneralDefault(name, assignment.value) ? 'general' : 'taken';
  }
  if (Object.hasOwn(foreignOptions, name) && isHarmless(name, assignment.value, source !== 'flag'))
    return 'harmless';
  throw refusal(assignment, known);
}

const verdictNotes: Readonly<Record<Exclude<Verdict, 'taken'>, string>> = {
  harmless: 'without effect here',
  general: 'passed over, as RecBole does for context-aware models: point evaluation stays',
  outranked: 'passed over, as evaluation settings come after the data set: use --config_files or a flag',
};

/**
 * One line for each origin and verdict, so that a copy of RecBole's overall.yaml fills two lines, not twenty.
 */
function notesOf(passed: ReadonlyMap<string, readonly string[]>): readonly string[] {
  return [...passed].map(([label, names]) => {
    const [origin, verdict] = label.split('\0');
    return `${origin}: ${names.join(', ')} ${verdict}`;
  });
}

/**
 * Reads assignments in order of rising precedence. Throws ConfigError on the first that cannot be honoured.
 */
export function gather(assignments: readonly Assignment[], known: Known): Gathered {
  const values = new Map<string, ConfigValue>();
  const winners = new Map<string, Assignment>();
  const passed = new Map<string, string[]>();
  for (const assignment of assignments) {
    const { name, origin } = assignment;
    if (Object.hasOwn(runOptions, name)) continue;
    const verdict = judge(assignment, known);
    if (verdict === 'taken') {
      values.set(name, assignment.read(known.table[name]));
      winners.set(name, assignment);
    } else {
      const label = `${origin}\0${verdictNotes[verdict]}`;
      passed.set(label, [...(passed.get(label) ?? []), name]);
    }
  }
  return { values, winners, notes: notesOf(passed) };
}
