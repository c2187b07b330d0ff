import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testDevice } from '../support/device.js';
import { readFixture } from '../support/fixture.js';
import { checkModel, trainTiny } from '../support/model_check.js';
import { compareFixture, exceeded } from '../support/parity.js';
import { firstOrderOf } from '../support/twins.js';

const lrSuite = suite('LR');
const device = await testDevice();
lrSuite.after(() => device.destroy());

lrSuite('equal to the original in logits, losses, gradients, three Adam steps, predictions', async () => {
  assert.equal(exceeded(await compareFixture(device, readFixture('test/fixtures/golden/LR.json'))), []);
});

for (const classes of [1, 5]) {
  lrSuite(`${classes} classes: loss and gradients are those of the sum over all fields`, () =>
    checkModel(device, { model: 'LR', classes }, (p, rows) =>
      rows.map((row) => firstOrderOf(p, row, classes)),
    ),
  );
}

lrSuite('learns 37 rows', async () => {
  const [first, last] = await trainTiny(device, { model: 'LR', classes: 1 }, 60, 0.05);
  assert.ok(first > 0.6 && last < 0.45, `loss fell from ${first} to ${last}`);
});

lrSuite.run();
