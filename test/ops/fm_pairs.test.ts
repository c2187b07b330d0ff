import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Tape, fmPairs, fmPooled } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, type OpCase } from '../support/gradcheck.js';
import { pooled, summed } from '../support/pairs.js';

const device = await testDevice();
const shapes = [
  [1, 1, 1],
  [1, 2, 3],
  [3, 4, 5],
  [5, 7, 8],
  [2, 3, 4],
  [130, 3, 6],
  [200, 5, 16],
];

const pooledSuite = suite('fmPooled');
const pairsSuite = suite('fmPairs');
for (const shape of shapes) {
  const inputs = { e: { shape } };
  const pooledCase: OpCase = {
    inputs,
    build: ({ e }) => fmPooled(e),
    reference: ({ e }) => pooled(e, shape),
    tolerance: 1e-5,
  };
  const pairsCase: OpCase = {
    inputs,
    build: ({ e }) => fmPairs(e),
    reference: ({ e }) => summed(e, shape),
    tolerance: 1e-5,
  };
  pooledSuite(`[${shape}] is the pairwise double loop`, () => checkForward(device, pooledCase));
  pooledSuite(`[${shape}] has the gradient of the double loop`, () => checkGradient(device, pooledCase));
  pairsSuite(`[${shape}] is the pairwise double loop`, () => checkForward(device, pairsCase));
  pairsSuite(`[${shape}] has the gradient of the double loop`, () => checkGradient(device, pairsCase));
}

pairsSuite('wants three axes', () => {
  const tape = new Tape({ training: true });
  assert.throws(
    () => fmPairs(tape.input('e', [4, 5])),
    /fm_pairs: e: has shape \[4,5\], but 3 axes are needed/,
  );
  assert.throws(
    () => fmPooled(tape.input('e', [4, 5])),
    /fm_pooled: e: has shape \[4,5\], but 3 axes are needed/,
  );
});

pairsSuite.after(() => device.destroy());
pooledSuite.run();
pairsSuite.run();
