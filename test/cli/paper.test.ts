import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openDataset, programOf } from '../../cli/open.js';
import { commandLine, paperCommands, trainArguments } from '../../cli/paper/lines.js';
import { paperSettings } from '../../cli/paper/settings.js';
import type { TrainConfig } from '../../cli/config/train_config.js';
import type { Dataset } from '../../data/schema.js';
import { packFeatures, traceEvaluation, traceTraining, type Features } from '../../models/index.js';
import { paperConfig, paperFolder } from '../support/paper.js';
import { node } from '../support/train.js';

const script = resolve('cli/paper.js');
const folder = await paperFolder();
const typed: readonly Readonly<Record<string, string>>[] = JSON.parse(
  readFileSync('test/fixtures/paper_commands.json', 'utf8'),
);

const list = suite('paperCommands');

list('are the 249 of the paper in its order, option by option', () => {
  assert.is(paperCommands.length, 249);
  assert.is(typed.length, 249);
  for (const [i, command] of paperCommands.entries()) assert.equal(command, typed[i], `command ${i + 1}`);
});

list('each stand once', () => {
  assert.is(new Set(paperCommands.map(commandLine)).size, 249);
});

list('come from a shell as the arguments that are meant', () => {
  const lines = paperCommands.map((command) =>
    commandLine(command).replace(/^node cli\/train\.js/, "printf '%s\\n'"),
  );
  const said = execFileSync('sh', ['-c', lines.join('\n')], { encoding: 'utf8' });
  assert.equal(said.trimEnd().split('\n'), paperCommands.flatMap(trainArguments));
});

list.run();

const plans = suite('plans of the paper');

plans('say what the commands say', async () => {
  for (const [i, command] of paperCommands.entries()) {
    const config = await paperConfig(folder, command);
    const { options } = paperSettings.find(
      ({ model, dataset }) => model === command.model && dataset === command.dataset,
    ) as (typeof paperSettings)[number];
    const where = `command ${i + 1}`;
    const { multi_cls = null, multi_ratio = null } = command;
    assert.is(config.model, command.model, where);
    assert.is(config.dataset, command.dataset, where);
    assert.is(config.seed, Number(command.seed), where);
    assert.is(config.multi_cls, multi_cls && Number(multi_cls), where);
    assert.is(config.multi_ratio, multi_ratio && Number(multi_ratio), where);
    assert.is(config.save_dataset, command.save_dataset === 'True', where);
    assert.is(config.dataset_save_path, command.dataset_save_path ?? null, where);
    assert.is(config.learning_rate, Number(options.learning_rate), where);
    assert.is(config.train_batch_size, 4096, where);
    for (const [name, text] of Object.entries(options)) {
      if (name !== 'learning_rate')
        assert.equal(config.model_options[name], valueOf(text), `${where}: ${name}`);
    }
  }
});

/** A value as typed: Python's True, a number, a list of numbers, or a word. */
function valueOf(text: string): unknown {
  if (text === 'True' || text === 'False') return text === 'True';
  return /^[\d[-]/.test(text) ? JSON.parse(text.replace(/\.0\b/g, '')) : text;
}

/** The data set of a command and its features, as they are without a file that keeps them. */
async function material(config: TrainConfig): Promise<{ dataset: Dataset; features: Features }> {
  const data = { ...config.data, save_dataset: false, dataset_save_path: null };
  const dataset = await openDataset({ ...config, data }, () => {});
  return { dataset, features: packFeatures(dataset) };
}

plans('give models that take the columns of their data set, step by step and to be tested', async () => {
  const opened = new Map<string, Awaited<ReturnType<typeof material>>>();
  for (const command of paperCommands) {
    const config = await paperConfig(folder, command);
    const key = `${command.model} ${command.dataset}`;
    const { dataset, features } = opened.get(key) ?? (await material(config));
    opened.set(key, { dataset, features });
    const program = programOf(config, dataset);
    const sizes = { rows: 64, capacity: 64, chunkSteps: 1, users: features.users, items: features.items };
    const { losses } = traceTraining(program, { ...sizes, scope: 'train' });
    assert.equal(losses.total.shape, [1]);
    assert.is(losses.rating !== undefined, 'multi_cls' in command);
    const { prediction } = traceEvaluation(program, { ...sizes, scope: 'eval' });
    assert.equal(prediction.ratings?.shape, 'multi_cls' in command ? [64, 5] : undefined);
  }
  assert.is(opened.size, paperSettings.length);
});

plans.run();

const said = suite('paper commands');
const run = (...argv: readonly string[]) => node(folder, [script, 'commands', ...argv]);

said('lists all of them under their models and data sets', async () => {
  const { code, out, err } = await run();
  assert.equal([code, err], [0, '']);
  const lines = out.trimEnd().split('\n');
  assert.equal(
    lines.filter((line) => line.startsWith('node ')),
    paperCommands.map(commandLine),
  );
  assert.is(lines.filter((line) => line.startsWith('# ')).length, paperSettings.length);
  assert.match(out, /^# AutoInt on ml-1m: 10 runs\nnode cli\/train\.js --dataset=ml-1m --model=AutoInt /);
  assert.match(out, /\n# AutoInt on amazon-books: 1 run\n/);
});

said('lists those of a model and a data set', async () => {
  const { out } = await run('--model=dcnv2', '--dataset=yelp2018');
  assert.is(out.trimEnd().split('\n').length, 23);
  assert.ok(out.startsWith('# DCNV2 on yelp2018: 22 runs\n'));
  const { out: other } = await run('--dataset=amazon-book', '--model=AutoInt');
  assert.match(other, /^# AutoInt on amazon-books: 1 run\n.*\n$/);
});

said('gives JSON', async () => {
  const { out } = await run('--dataset=amazon-books', '--json');
  const records: { model: string; dataset: string; options: object; command: string }[] = JSON.parse(out);
  const expected = typed.filter(({ dataset }) => dataset === 'amazon-books');
  assert.equal(
    records.map(({ dataset, model, options }) => ({ dataset, model, ...options })),
    expected,
  );
  assert.equal(
    records.map(({ command }) => command),
    paperCommands.filter(({ dataset }) => dataset === 'amazon-books').map(commandLine),
  );
});

said('refuses what it does not know', async () => {
  for (const [argv, message] of [
    [['--model=NFM', '--dataset=yelp2018'], /^paper: --model=NFM: not run on yelp2018 in the paper; /],
    [['--model=FM'], /^paper: --model=FM: not known; give one of AutoInt, /],
    [['--seed=1'], /^paper: --seed=1: no such option; /],
  ] as const) {
    const { code, out, err } = await run(...argv);
    assert.equal([code, out], [1, '']);
    assert.match(err, message);
  }
});

said('is a part of the command paper', async () => {
  const help = await node(folder, [script, '--help']);
  assert.match(help.out, /paper\.js commands /);
  const wrong = await node(folder, [script, 'comands']);
  assert.is(wrong.code, 1);
  assert.match(wrong.err, /^paper: comands: no such command; did you mean commands\?/);
});

said.run();
