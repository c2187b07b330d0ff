import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { optimizers, type OptimizerName } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { runHits, tableHits, tableSetting } from './training.js';

const file = fileURLToPath(import.meta.url);
const isChild = process.argv[2] === 'child';

/** A hash of all parameters and slots after 200 steps, one line per optimizer. */
async function hashes(): Promise<string> {
  const device = await testDevice();
  const lines: string[] = [];
  for (const name of Object.keys(optimizers) as OptimizerName[]) {
    const hash = createHash('sha256');
    const setting = tableSetting(optimizers[name](), 8, 'rows');
    for (const [slot, bits] of await runHits(device, setting, tableHits(8, 200), [70]))
      hash.update(slot).update(bits);
    lines.push(`${name} ${hash.digest('hex')}`);
  }
  device.destroy();
  return lines.join('\n');
}

async function main(): Promise<void> {
  if (isChild) {
    console.log(await hashes());
    return;
  }
  const repeatSuite = suite('optimizers');
  repeatSuite('leave the same bits in two processes', async () => {
    const run = async () => (await promisify(execFile)(process.execPath, [file, 'child'])).stdout;
    const [one, two] = [await run(), await run()];
    assert.is(one.trim().split('\n').length, Object.keys(optimizers).length);
    assert.is(one, two);
  });
  repeatSuite.run();
}

await main();
