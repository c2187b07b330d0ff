import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { knownSet, knownSets, type Download, type KnownSet } from '../../data/convert/known.js';
import { datasetName } from '../../data/convert/names.js';
import { verifyFile } from '../../data/convert/verify.js';
import { DataError } from '../../data/errors.js';
import { readCommand } from '../config/flags.js';
import type { CommandHelp } from '../config/help.js';
import { choice, optional, text, type OptionTable, type OptionValues } from '../config/option.js';
import { ConfigError } from '../errors.js';
import { dropPart, FetchError, fetchPart, keepPart } from './fetch.js';
import { meter } from './meter.js';

const help: CommandHelp = {
  name: 'data',
  subcommand: 'download',
  summary:
    'node cli/data.js download: fetches a published data set and verifies it; where that cannot be done, says how to do ' +
    'it by hand. Repeated after an interruption, it goes on where the transfer ended.',
  examples: [
    'node cli/data.js download --dataset=ml-1m',
    'node cli/data.js download --dataset=amazon-books --source=publisher --to=/data/raw',
    'node cli/data.js download --dataset=ml-1m --url=https://mirror.example/ml-1m.zip',
  ],
};

type Source = 'recbole' | 'publisher';

const table = {
  dataset: text('', `the data set: ${knownSets.map(({ name }) => name).join(', ')}`),
  source: choice<Source>(
    'recbole',
    ['recbole', 'publisher'],
    'atomic files that RecBole offers, or the originals',
  ),
  to: text('dataset/downloads', 'folder of the files, which go to <to>/<dataset>-<source>'),
  url: optional(text('', 'another address of the same file')),
  data_path: text('dataset/', 'folder of the data sets, for the command that comes next'),
} as const satisfies OptionTable;

type DownloadOptions = OptionValues<typeof table>;

/** `data download`: fetches the files of a set. Throws ConfigError, with steps to take by hand where it cannot. */
export async function download(argv: readonly string[]): Promise<void> {
  const request = await readCommand(argv, help, table);
  if ('help' in request) return void console.log(request.help);
  const options = { ...request.values, dataset: datasetName(request.values.dataset) };
  const set = knownSet(options.dataset);
  if (set === null) {
    const have = knownSets.map(({ name }) => name).join(', ');
    throw new ConfigError(`--dataset=${options.dataset}: not known where to find it; have ${have}`);
  }
  console.log(`licence: ${set.licence}`);
  const files = filesOf(set, options);
  const folder = join(options.to, `${set.name}-${options.source}`);
  if (files.length === 0)
    throw new ConfigError(byHand(set, options, 'its publisher wants an agreement first'));
  for (const file of files) await fetchFile(set, options, file, folder);
  console.log(`prepare it with:\n  ${prepareCommand(set, options, fromPath(files, folder))}`);
}

function filesOf(set: KnownSet, { source, url }: DownloadOptions): readonly Download[] {
  const files = set[source];
  if (url === null) return files;
  if (files.length > 1) {
    throw new ConfigError(`--url=${url}: ${set.name} has ${files.length} files there; fetch them by hand`);
  }
  return [{ ...files[0], url }];
}

async function fetchFile(
  set: KnownSet,
  options: DownloadOptions,
  { url, sha256 }: Download,
  folder: string,
): Promise<void> {
  const path = join(folder, fileName(url));
  if (existsSync(path)) return void console.log(`${path}: fetched before, kept`);
  console.log(`${url}: fetching`);
  const show = meter();
  const progress = (share: number) => show(path, share);
  try {
    const part = await fetchPart({ url, path, note: (line) => console.log(line), progress });
    const { size } = await stat(part);
    const sum = await verified(part, path, sha256);
    await keepPart(part, path);
    console.log(
      `${path}: ${size.toLocaleString('en-US')} bytes, sha256 ${sum}${sha256 === undefined ? '' : ', as published'}`,
    );
  } catch (error) {
    if (error instanceof FetchError) throw new ConfigError(byHand(set, options, `${url}: ${error.message}`));
    throw error;
  }
}

/** The checksum of a whole, undamaged file; a part that is neither is removed. */
async function verified(part: string, path: string, sha256: string | undefined): Promise<string> {
  try {
    const sum = await verifyFile(part, path);
    if (sha256 === undefined || sum === sha256) return sum;
    throw new DataError(`has sha256 ${sum}, published is ${sha256}; fetch it again, or by hand`, path);
  } catch (error) {
    if (error instanceof DataError) await dropPart(part);
    throw error;
  }
}

function fileName(url: string): string {
  const name = URL.canParse(url) ? new URL(url).pathname.split('/').at(-1) : '';
  if (name === undefined || name === '')
    throw new ConfigError(`--url=${url}: names no file; give its whole address`);
  return decodeURIComponent(name).replaceAll(/[/\\]/g, '_');
}

/** An archive is given itself, several files by their folder. */
const fromPath = (files: readonly Download[], folder: string) =>
  files.length === 1 && /\.zip$/i.test(fileName(files[0].url))
    ? join(folder, fileName(files[0].url))
    : folder;

function prepareCommand({ name }: KnownSet, { data_path }: DownloadOptions, from: string): string {
  const place = join(data_path) === join('dataset/') ? '' : ` --data_path=${data_path}`;
  return `node cli/data.js prepare --dataset=${name} --from=${from}${place}`;
}

/** Why it cannot be fetched, and the steps that lead there by hand. */
function byHand(set: KnownSet, options: DownloadOptions, why: string): string {
  const originals = Object.values(set.original).map(({ name }) => name);
  return [
    `${set.name} cannot be fetched (${why}); by hand:`,
    '  1. where there is a network, download one of these:',
    `     RecBole's archive: ${set.recbole.map(({ url }) => url).join(' ')}`,
    `     the originals, from ${set.home}: ${originals.join(', ')}`,
    ...set.publisher.map(({ url }) => `       ${url}`),
    '     (RecBole also offers its archives from the links of https://github.com/RUCAIBox/RecSysDatasets)',
    '  2. bring the archive, or a folder with the originals, to this machine',
    `  3. ${prepareCommand(set, options, 'PATH')}`,
  ].join('\n');
}
