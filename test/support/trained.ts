import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as assert from 'uvu/assert';
import { openDataset } from '../../cli/open.js';
import { openTrained, readTrained } from '../../cli/rank_eval/trained.js';
import { splitDataset } from '../../data/dataset.js';
import { packFeatures } from '../../models/index.js';
import { numbers } from './numbers.js';
import { node, runs, trainScript, type Ended } from './train.js';

/** A data set in text, with fields of every type and source, missing cells and rows, and users that are filtered out. */
export interface Toy {
  readonly header: string;
  /** Rows of .inter that the filters leave. */
  readonly rows: readonly string[];
  readonly files: Readonly<Record<string, string>>;
}

const users = 40;
const items = 30;

/** The same every time. */
export function toyData(): Toy {
  const draws = numbers(7);
  const whole = (below: number) => Math.floor(Math.abs(draws([1])[0]) * 1000) % below;
  const orEmpty = (text: string | number) => (whole(8) === 0 ? '' : text);
  const some = (names: string, most: number) =>
    Array.from({ length: whole(most + 1) }, () => names[whole(names.length)]).join(' ');
  const pairs = Array.from({ length: users * items }, (_, i) => i).filter(() => whole(2) === 0);
  const rows = pairs.map((pair) => {
    const [user, item] = [pair % users, Math.floor(pair / users)];
    const context = [orEmpty('abc'[whole(3)]), some('vwxyz', 3), orEmpty(whole(900) / 100), whole(24)];
    return [`u${user}`, `i${item}`, 1 + whole(5), ...context].join('\t');
  });
  const header =
    'user_id:token item_id:token rating:float daypart:token tags:token_seq price:float hour:float';
  const userRows = Array.from({ length: users }, (_, user) =>
    [`u${user}`, orEmpty('ABCD'[whole(4)]), orEmpty(whole(90)), some('pqrs', 2)].join('\t'),
  );
  // The last three items have no row.
  const itemRows = Array.from({ length: items - 3 }, (_, item) =>
    [`i${item}`, 1990 + whole(9), orEmpty(whole(5000) / 10), some('klmn', 4)].join('\t'),
  );
  const table = (fields: string, lines: readonly string[]) =>
    `${[fields.replaceAll(' ', '\t'), ...lines].join('\n')}\n`;
  return {
    header: header.replaceAll(' ', '\t'),
    rows,
    files: {
      'toy.inter': table(header, [...rows, 'rare1\ti1\t4\ta\tv\t1\t2', 'rare2\ti2\t2\ta\tv\t1\t2']),
      // Of two rows of one user the first counts.
      'toy.user': table('user_id:token age:token income:float topics:token_seq', [
        ...userRows,
        'u3\tD\t12\tp',
        'rare1\tA\t1000\tq',
      ]),
      'toy.item': table('item_id:token year:token cost:float genres:token_seq', itemRows),
      'toy.yaml': [
        'threshold: {rating: 4}',
        'numerical_features: [price, hour, income, cost]',
        'normalize_field: [price, income]',
        'discretization: {hour: {method: ED, bucket: 4}, cost: {method: LD}}',
        'filter_inter_by_user_or_item: False',
        'user_inter_num_interval: "[2,inf)"',
        '',
      ].join('\n'),
    },
  };
}

/** A folder with `toy` in dataset/ and a model trained on it for an epoch; gone when the process ends. */
export async function trainedFolder(
  ...flags: readonly string[]
): Promise<{ readonly folder: string; readonly toy: Toy; readonly checkpoint: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'trained-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const toy = toyData();
  mkdirSync(join(folder, 'dataset', 'toy'), { recursive: true });
  for (const [name, text] of Object.entries(toy.files))
    writeFileSync(join(folder, 'dataset', 'toy', name), text);
  const argv = ['--model=FM', '--dataset=toy', '--epochs=1', '--embedding_size=4', '--eval_batch_size=256'];
  const { code, err } = await node(folder, [trainScript, ...argv, '--quiet', ...flags]);
  assert.is(code, 0, err);
  return { folder, toy, checkpoint: join(runs(folder)[0], 'best.ckpt') };
}

/** The trained model with its whole data set, in this process. */
export async function openReference(folder: string, checkpoint: string) {
  const trained = await readTrained(checkpoint, {
    data_path: join(folder, 'dataset'),
    adapter: null,
    threads: null,
    check: false,
  });
  const dataset = await openDataset(trained.config, () => {});
  const split = splitDataset(dataset, trained.config.data);
  const features = packFeatures(dataset);
  return { trained, dataset, split, features, ...(await openTrained(trained, dataset, features)) };
}

/** What a process says itself: Dawn complains about some drivers on stderr. */
const own = ({ err, ...ended }: Ended): Ended => ({ ...ended, err: err.replace(/^Warning: max.*\n/gm, '') });

/** Runs `node <script> …argv` in `folder`, to its end. */
export const ended = async (folder: string, argv: readonly string[]): Promise<Ended> =>
  own(await node(folder, argv));

/** Runs a command with `input` on stdin; `heard` may end the process or close its stdout early. */
export function piped(
  folder: string,
  [script, ...argv]: readonly string[],
  input: string,
  heard: (child: ReturnType<typeof spawn>, out: string) => void = () => {},
  /** When the process says something on stderr. */
  noted: (child: ReturnType<typeof spawn>, err: string) => void = () => {},
): Promise<Ended> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [script, ...argv], { cwd: folder, timeout: 120_000 });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      heard(child, out);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
      noted(child, err);
    });
    // A command that has ended reads no further.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.on('close', (code, signal) => done(own({ code, signal, out, err })));
  });
}

export const predictScript = resolve('cli/predict.js');
export const rankEvalScript = resolve('cli/rank-eval.js');
