import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openDataset, openRunner, programOf } from '../../cli/open.js';
import { paperCommands, trainArguments, type PaperCommand } from '../../cli/paper/lines.js';
import { paperSettings } from '../../cli/paper/settings.js';
import { packFeatures } from '../../models/index.js';
import { testDevice } from '../support/device.js';
import { paperConfig, paperFolder } from '../support/paper.js';
import { node, trainScript } from '../support/train.js';

const folder = await paperFolder();
const device = await testDevice();

const batch = 24;
/** Two full steps and a short one. */
const rows = 2 * batch + 7;

/** Trains a few steps and scores a few rows; the losses, and the scores before and after. */
async function steps(command: PaperCommand) {
  const config = await paperConfig(
    folder,
    command,
    `--train_batch_size=${batch}`,
    `--eval_batch_size=${batch}`,
  );
  const data = { ...config.data, save_dataset: false, dataset_save_path: null };
  const dataset = await openDataset({ ...config, data }, () => {});
  const runner = await openRunner(device, config, programOf(config, dataset), packFeatures(dataset), rows);
  try {
    const order = Uint32Array.from({ length: rows }, (_, i) => i);
    const before = await runner.scores(order);
    const losses: number[] = [];
    const lr = () => config.learning_rate;
    for await (const { parts } of runner.train(order, { stepsBefore: 0, done: 0 }, lr))
      losses.push(...parts.loss);
    runner.flush();
    return { losses, before: before.score, after: await runner.scores(order) };
  } finally {
    runner.destroy();
  }
}

/** The first command of each kind of head of a setting. */
function heads({ model, dataset }: (typeof paperSettings)[number]): PaperCommand[] {
  const commands = paperCommands.filter((one) => one.model === model && one.dataset === dataset);
  return [false, true]
    .map((multi) => commands.find((command) => 'multi_cls' in command === multi))
    .filter((command) => command !== undefined);
}

const training = suite('training as in the paper');

for (const setting of paperSettings) {
  for (const command of heads(setting)) {
    const head = 'multi_cls' in command ? 'five classes' : 'the label';
    training(`steps ${setting.model} on ${setting.dataset} by ${head}`, async () => {
      const { losses, before, after } = await steps(command);
      assert.is(losses.length, 3);
      assert.ok(
        losses.every((loss) => Number.isFinite(loss) && loss > 0),
        losses.join(),
      );
      assert.ok(after.score.every((score) => score > 0 && score < 1));
      assert.ok(after.score.some((score, i) => score !== before[i]));
      assert.is(after.ratings?.length, 'multi_cls' in command ? 5 * rows : undefined);
    });
  }
}

/** Runs the first EulerNet command on a data set as it is typed, but for one short epoch; the files that it keeps. */
async function typed(dataset: string): Promise<readonly string[]> {
  const command = paperCommands.find((one) => one.dataset === dataset && one.model === 'EulerNet');
  const flags = [...trainArguments(command as PaperCommand), '--epochs=1', '--quiet'];
  const { code, out, err } = await node(folder, [trainScript, ...flags]);
  assert.equal([code, err], [0, '']);
  assert.match(out, /^test .*0\.\d/m);
  return readdirSync(join(folder, 'saved'));
}

training('runs commands as they are typed, and keeps the data set if they say so', async () => {
  const first = await typed('amazon-books');
  assert.ok(
    first.every((name) => /^EulerNet-amazon-books-/.test(name)),
    first.join(),
  );
  const second = await typed('ml-1m');
  assert.is(second.filter((name) => /^ml-1m-\w+\.dataset$/.test(name)).length, 1, second.join());
});

training.after(() => device.destroy());
training.run();
