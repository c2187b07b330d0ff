import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { putTensors, takeTensors, type Tensors } from '../../cli/checkpoint.js';
import { NonFiniteLoss, Runner, type RunnerSettings } from '../../cli/runner.js';
import { adam, type Device } from '../../engine/index.js';
import { models, packFeatures, type Features, type Program } from '../../models/index.js';
import { loadToy } from '../support/data_set.js';
import { testDevice } from '../support/device.js';

const rows = 50;
const batch = 8;
const lines = Array.from(
  { length: rows },
  (_, i) => `u${(i * 5) % 13},i${(i * i) % 17},${((i * 7) % 5) + 1}`,
);
const dataset = await loadToy(
  { inter: `user_id:token,item_id:token,rating:float\n${lines.join('\n')}` },
  { threshold: { rating: 4 } },
);
const features: Features = packFeatures(dataset);
const fm = models.find(({ name }) => name === 'FM');
if (fm === undefined) throw new Error('no FM');
const program: Program = {
  model: fm,
  options: {},
  embeddingSize: 4,
  schema: dataset.schema,
  supervision: { classes: 5, ratio: 0.5, positive: 3, labelAggregation: 'logit_sum' },
};
const order = Uint32Array.from({ length: rows }, (_, i) => (i * 3) % rows);
const steps = Math.ceil(rows / batch);

const device: Device = await testDevice();

async function withRunner<T>(
  body: (runner: Runner) => Promise<T>,
  change: Partial<RunnerSettings> = {},
): Promise<T> {
  const settings = { trainBatch: batch, evalBatch: 16, trainRows: rows, optimizer: adam(), seed: 7 };
  const runner = await Runner.open(device, program, features, { ...settings, ...change });
  try {
    return await body(runner);
  } finally {
    runner.destroy();
  }
}

const lr = () => 0.05;

async function epoch(runner: Runner, number: number, paused?: () => boolean): Promise<number[]> {
  const losses: number[] = [];
  const stepsBefore = number * runner.epochSteps;
  for (let done = 0; done < runner.epochSteps;) {
    for await (const { first, last, parts } of runner.train(order, { stepsBefore, done }, lr, paused)) {
      assert.is(first, done);
      assert.equal([parts.loss.length, parts.label.length, parts.rating.length], Array(3).fill(last - first));
      losses.push(...parts.loss);
      done = last;
    }
  }
  return losses;
}

const all = (runner: Runner): Promise<Tensors> => takeTensors(runner.store, 'parameter', 'state', 'slot');

/** Losses of two epochs and everything that they leave behind. */
const twoEpochs = (change: Partial<RunnerSettings>, paused?: () => boolean) =>
  withRunner<readonly [number[], Tensors]>(
    async (runner) => [
      [...(await epoch(runner, 0, paused)), ...(await epoch(runner, 1, paused))],
      await all(runner),
    ],
    change,
  );

const training = suite('Runner.train');

training('gives the same bits however steps are cut, laid out and paused', async () => {
  const expected = await twoEpochs({});
  assert.is(expected[0].length, 2 * steps);
  assert.equal(await twoEpochs({ lossInterval: 1 }), expected);
  assert.equal(await twoEpochs({ lossInterval: 1, feedThreads: 2 }), expected);
  assert.equal(await twoEpochs({ lossInterval: 1 }, () => true), expected);
});

// Few rows of a batch, so that its tables are large ones.
const largeTables = { trainBatch: 2, optimizer: adam({ tables: 'fast' }), lossInterval: 3 };

training('gives the same bits with sums of missed steps, however steps are cut', async () => {
  const expected = await twoEpochs(largeTables);
  assert.ok(
    [...expected[1].keys()].some((name) => name.startsWith('last_step.')),
    'rows miss steps',
  );
  assert.equal(await twoEpochs({ ...largeTables, lossInterval: 1 }), expected);
  const exact = await twoEpochs({ ...largeTables, optimizer: adam() });
  assert.not.equal(exact[1], expected[1]);
});

training('goes on from the middle of an epoch to the same bits, with sums of missed steps', async () => {
  const [, expected] = await twoEpochs(largeTables);
  const [halfway, done] = await withRunner<readonly [Tensors, number]>(async (runner) => {
    await epoch(runner, 0);
    const position = { stepsBefore: runner.epochSteps, done: 0 };
    let last = 0;
    for await (const part of runner.train(order, position, lr, () => true)) last = part.last;
    return [await all(runner), last];
  }, largeTables);
  assert.ok(done > 0 && done < rows / 2);
  const resumed = await withRunner(async (runner) => {
    putTensors(runner.store, halfway, 'halfway', 'parameter', 'state', 'slot');
    const stepsBefore = runner.epochSteps;
    for (let at = done; at < runner.epochSteps;) {
      for await (const { last } of runner.train(order, { stepsBefore, done: at }, lr)) at = last;
    }
    return all(runner);
  }, largeTables);
  assert.equal(resumed, expected);
});

training('takes an epoch of fewer rows than a batch', async () => {
  const losses = await withRunner((runner) => runner.train(order, { stepsBefore: 0, done: 0 }, lr).next(), {
    trainBatch: 1000,
  });
  assert.is(losses.value?.last, 1);
});

training('throws NonFiniteLoss with step, batch and the first op', async () => {
  const users = dataset.inter.columns.get('user_id');
  if (users?.type !== 'token') throw new Error('no users');
  // The user whom the epoch meets last, so that whole chunks go before.
  const firsts = Array.from({ length: 13 }, (_, i) => order.findIndex((row) => users.ids[row] === i + 1));
  const first = Math.max(...firsts);
  const user = users.ids[order[first]];
  const diverge = async (runner: Runner) => {
    await epoch(runner, 0);
    const weights = await runner.store.read('token_embedding_table.embedding.weight');
    runner.store.write(
      'token_embedding_table.embedding.weight',
      Float32Array.from(weights, (w, i) => (Math.floor(i / 4) === user ? 3e38 : w)),
    );
    await epoch(runner, 1);
  };
  try {
    await withRunner(diverge, { lossInterval: 1 });
    assert.unreachable();
  } catch (error) {
    if (!(error instanceof NonFiniteLoss)) throw error;
    const at = Math.floor(first / batch);
    assert.equal([error.step, error.batch], [steps + at + 1, at]);
    assert.match(
      error.message,
      /^loss: not finite at step \d+ \(batch \d of its epoch\), first in fm_pooled /,
    );
  }
});

training('fails once when the device is lost, with nothing left over that nobody catches', async () => {
  const unattended: unknown[] = [];
  const note = (reason: unknown) => void unattended.push(reason);
  process.on('unhandledRejection', note);
  const own = await testDevice();
  const settings = { trainBatch: batch, evalBatch: 16, trainRows: rows, optimizer: adam(), seed: 7 };
  const runner = await Runner.open(own, program, features, { ...settings, lossInterval: 1 });
  try {
    for await (const { first } of runner.train(order, { stepsBefore: 0, done: 0 }, lr)) {
      if (first === 0) own.destroy();
    }
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).name, 'DeviceError');
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  process.off('unhandledRejection', note);
  assert.equal(unattended, []);
  runner.destroy();
  own.destroy();
});

training.run();

const scoring = suite('Runner.scores');

scoring('gives every row its probabilities, in the order asked for', async () => {
  await withRunner(
    async (runner) => {
      const { score, ratings } = await runner.scores(order);
      assert.is(ratings?.length, 5 * rows);
      const back = await runner.scores(order.slice().reverse());
      assert.equal(back.score.reverse(), score);
      for (let i = 0; i < rows; i++) {
        const sum = [...(ratings ?? [])].slice(5 * i, 5 * i + 5).reduce((a: number, b: number) => a + b, 0);
        assert.ok(Math.abs(sum - 1) < 1e-6);
      }
    },
    { trainRows: 0 },
  );
});

scoring('gives the same whoever lays the rows out', async () => {
  await withRunner(async (runner) => {
    await epoch(runner, 0);
    // Chunks of several batches, a short one, and one row.
    for (const part of [order, order.subarray(3, 36), order.subarray(7, 8), order.subarray(0, 0)]) {
      assert.equal(await runner.scores(part), await runner.scores(part, features.rows));
    }
  });
});

scoring('tells who watches, and ends early', async () => {
  await withRunner(
    async (runner) => {
      const seen: number[] = [];
      await runner.scores(order, undefined, { done: (count) => seen.push(count) });
      assert.is(seen.at(-1), rows);
      const controller = new AbortController();
      controller.abort();
      try {
        await runner.scores(order, undefined, { signal: controller.signal });
        assert.unreachable();
      } catch (error) {
        assert.is((error as Error).name, 'AbortError');
      }
      assert.is((await runner.scores(order)).score.length, rows);
    },
    { trainRows: 0 },
  );
});

scoring.after(() => device.destroy());
scoring.run();
