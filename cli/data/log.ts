import { basename } from 'node:path';
import type { Archive } from '../../data/convert/archive.js';
import { logRows, type LogColumn } from '../../data/convert/log.js';
import type { Plan } from '../../data/convert/plan.js';
import type { PrepareRequest } from '../../data/convert/prepare.js';
import type { FieldType } from '../../data/schema.js';
import { ConfigError } from '../errors.js';
import type { PrepareOptions } from './prepare.js';

const types: readonly FieldType[] = ['token', 'token_seq', 'float', 'float_seq'];

/** The columns of the set, from the flags that map those of the log. Throws ConfigError. */
export function logColumns({ user, item, rating, timestamp, fields }: PrepareOptions): readonly LogColumn[] {
  const column = (from: string | null, name: string, type: FieldType, required: boolean): LogColumn[] =>
    from === null ? [] : [{ from, name, type, required }];
  const columns = [
    ...column(user, 'user_id', 'token', true),
    ...column(item, 'item_id', 'token', true),
    ...column(rating, 'rating', 'float', true),
    ...column(timestamp, 'timestamp', 'float', false),
    ...(fields ?? '').split(',').filter(Boolean).map(fieldColumn),
  ];
  const twice = columns.find(({ name }, i) => columns.findIndex((other) => other.name === name) < i);
  if (twice !== undefined) throw new ConfigError(`--fields: ${twice.name} is there twice; name it once`);
  return columns;
}

function fieldColumn(field: string): LogColumn {
  const [, name = '', kind = ''] = /^\s*([^\t]+):(\w+)\s*$/.exec(field) ?? [];
  const type = types.find((one) => one === kind);
  if (type !== undefined) return { from: name, name, type };
  throw new ConfigError(
    `--fields: "${field}" is no name:type; give one such as age:token, of ${types.join(', ')}`,
  );
}

/** One file of interactions, from a log. */
export function logPlan(options: PrepareOptions, { members, path }: Archive): Plan {
  const columns = logColumns(options);
  const delimiter = options.delimiter?.replaceAll('\\t', '\t') ?? (/\.tsv(\.gz)?$/i.test(path) ? '\t' : ',');
  const format = { columns, delimiter, header: options.header };
  const [member, other] = members;
  if (member === undefined || other !== undefined) {
    throw new ConfigError(`--from=${path}: not one file; a log is one .csv, .tsv, .jsonl or .parquet`);
  }
  return {
    form: 'a log',
    tables: [
      {
        source: 'inter',
        member,
        read: async (input) => ({ columns, rows: logRows(input.file, input, format) }),
      },
    ],
  };
}

/** What decides how a log is written, and the property file of its set. */
export function logSettings(options: PrepareOptions): Pick<PrepareRequest, 'settings' | 'extras'> {
  const columns = logColumns(options);
  const { dataset, from, threshold, delimiter, header } = options;
  return {
    settings: { columns, threshold, delimiter, header },
    extras: { [`${dataset}.yaml`]: propertyText(dataset, from, columns, threshold) },
  };
}

function propertyText(
  dataset: string,
  from: string,
  columns: readonly LogColumn[],
  threshold: number | null,
): string {
  // Quoted, for a column may be called anything.
  const list = (names: readonly string[]) => `[${names.map((name) => JSON.stringify(name)).join(', ')}]`;
  const floats = columns.filter(
    ({ name, type }) => type === 'float' && !['rating', 'timestamp', 'label'].includes(name),
  );
  const names = list(floats.map(({ name }) => name));
  const hasRating = columns.some(({ name }) => name === 'rating');
  return [
    `# Settings of ${dataset}, made from ${basename(from)}.`,
    'load_col:',
    `  inter: ${list(columns.map(({ name }) => name))}`,
    ...(hasRating && threshold !== null ? [`threshold: {rating: ${threshold}}`] : []),
    ...(floats.length > 0 ? [`numerical_features: ${names}`, `normalize_field: ${names}`] : []),
    '',
  ].join('\n');
}
