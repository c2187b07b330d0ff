/**
 * Trains one step on a tiny data set by the way of `train`, all of its modules loaded, and answers with a line as
 * start.ts reads it. Arguments: those of `train`.
 */
import '../cli/train.js';
import { loadTrainConfig } from '../cli/config.js';
import { openDataset, openDevice, openRunner, programOf } from '../cli/open.js';
import { splitDataset } from '../data/dataset.js';
import { models, packFeatures } from '../models/index.js';
import type { FirstStep } from './start.js';

async function firstStep(argv: readonly string[]): Promise<FirstStep> {
  const request = await loadTrainConfig(argv, models);
  if (request.kind !== 'run') throw new Error('first_step: the command line asks for no run');
  const { config } = request;
  const configuredMs = performance.now();
  const dataset = await openDataset(config, () => {});
  const { train } = splitDataset(dataset, config.data);
  const features = packFeatures(dataset);
  const dataMs = performance.now() - configuredMs;
  const device = await openDevice(config);
  const openedMs = performance.now() - dataMs;
  const runner = await openRunner(device, config, programOf(config, dataset), features, train.length);
  await device.settled();
  const compiledMs = performance.now() - dataMs;
  for await (const { parts } of runner.train(train, { stepsBefore: 0, done: 0 }, () => 0.001)) {
    if (!Number.isFinite(parts.loss[0])) throw new Error(`first_step: the loss is ${parts.loss[0]}`);
  }
  await device.settled();
  const ended = performance.timeOrigin + performance.now();
  const steppedMs = performance.now() - dataMs;
  runner.destroy();
  device.destroy();
  return {
    ended,
    dataMs,
    parts: {
      modules: configuredMs,
      device: openedMs - configuredMs,
      compiling: compiledMs - openedMs,
      step: steppedMs - compiledMs,
    },
  };
}

console.log(JSON.stringify(await firstStep(process.argv.slice(2))));
