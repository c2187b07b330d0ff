import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadDataset, splitDataset } from '../../data/dataset.js';
import type { DataOptions } from '../../data/options.js';
import type { Column, Dataset } from '../../data/schema.js';
import { statistics } from '../../data/stats.js';
import { ensureSample, SYNTHETIC_MARK } from '../../data/synthetic.js';
import { parseFlags } from '../config/flags.js';
import { helpText, type CommandHelp } from '../config/help.js';
import { missingDatasetMessage } from '../config/missing.js';
import { ConfigError } from '../errors.js';
import { infoSections, resolveData } from './options.js';

const help: CommandHelp = {
  name: 'data',
  subcommand: 'info',
  summary:
    'node cli/data.js info: prints what a data set is once read and filtered: sizes, parts and fields.',
  examples: [
    'node cli/data.js info --dataset=sample',
    'node cli/data.js info --dataset=ml-1m "--user_inter_num_interval=[20,inf)"',
  ],
};

/** `data info`: prints statistics and fields. Throws ConfigError or DataError. */
export async function info(argv: readonly string[]): Promise<void> {
  const flags = parseFlags(argv);
  if (flags.has('help')) return void console.log(await helpText(help, infoSections));
  const options = resolveData(flags);
  const folder = join(options.data_path, options.dataset);
  if (options.dataset === 'sample' && (await ensureSample(options.data_path))) console.log(`${folder}: made`);
  if (!existsSync(folder)) throw new ConfigError(missingDatasetMessage(options));
  const dataset = await loadDataset(options, (line) => console.log(line));
  const mark = syntheticMark(folder);
  if (mark !== null) console.log(mark);
  console.log(statistics(dataset, options));
  console.log(`\n${partsText(dataset, options)}`);
  console.log(`\n${tableText(fieldRows(dataset, options))}`);
}

/** One line if the set was made by `data synth`. */
function syntheticMark(folder: string): string | null {
  const path = join(folder, SYNTHETIC_MARK);
  if (!existsSync(path)) return null;
  try {
    const mark: { readonly like?: unknown; readonly seed?: unknown } = JSON.parse(readFileSync(path, 'utf8'));
    return `synthetic data in the form of ${String(mark.like)}, seed ${String(mark.seed)}`;
  } catch {
    // The mark is a note for people: a spoilt one spoils nothing else.
    return 'synthetic data';
  }
}

function partsText(dataset: Dataset, options: DataOptions): string {
  const rows = Object.entries(splitDataset(dataset, options)).map(
    ([part, { length }]) => `${part} ${grouped(length)}`,
  );
  const lines = [`rows: ${rows.join(', ')}`];
  const { label, rating } = dataset;
  if (label !== null) lines.push(`label 1: ${percent(countOf(label, 1), label.length)}`);
  const ratings = rating === null ? [] : [...new Set(rating)].sort((a, b) => a - b);
  // More are no classes but a scale.
  if (rating !== null && ratings.length <= 10) {
    const shares = ratings.map((value) => `${value}: ${percent(countOf(rating, value), rating.length)}`);
    lines.push(`${options.RATING_FIELD} ${shares.join(', ')}`);
  }
  return lines.join('\n');
}

const fieldHeader = ['field', 'file', 'type', 'as a model input'];

function fieldRows(dataset: Dataset, options: DataOptions): string[][] {
  const tables = { inter: dataset.inter, user: dataset.users, item: dataset.items };
  const ids: readonly string[] = [dataset.schema.userField, dataset.schema.itemField];
  const rows = Object.entries(tables).flatMap(([file, table]) =>
    [...(table?.columns ?? [])]
      // The ids that join a file are listed once, with .inter.
      .filter(([name]) => file === 'inter' || !ids.includes(name))
      .map(([name, column]) => [name, `.${file}`, column.type, use(dataset.schema, name, column, options)]),
  );
  return [fieldHeader, ...rows];
}

/** What models make of a field. */
function use(
  { token, tokenSeq, float }: Dataset['schema'],
  name: string,
  column: Column,
  options: DataOptions,
): string {
  const one = token.find((field) => field.name === name);
  if (one !== undefined) return `${grouped(one.cardinality)} ids`;
  const sequence = tokenSeq.find((field) => field.name === name);
  if (sequence !== undefined)
    return `${grouped(sequence.cardinality)} ids, up to ${sequence.maxLength} a row`;
  const number = float.find((field) => field.name === name);
  if (number !== undefined) return options.discretization?.[name] ? `${number.cardinality} buckets` : 'value';
  if (name === options.RATING_FIELD) return 'no, the class of --multi_cls';
  if (name === options.LABEL_FIELD) return 'no, the label';
  return column.type === 'float' ? 'no, not among numerical_features' : 'no';
}

/** Rows as columns of equal width, the first row underlined. */
function tableText(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]))
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '-'.repeat(width));
  return [rows[0], rule, ...rows.slice(1)].map(line).join('\n');
}

function countOf(values: Float32Array, wanted: number): number {
  let count = 0;
  for (const value of values) if (value === wanted) count++;
  return count;
}

const grouped = (count: number): string => count.toLocaleString('en-US');
const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`;
