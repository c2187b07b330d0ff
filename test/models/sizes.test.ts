import { readdirSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testDevice } from '../support/device.js';
import { readFixture } from '../support/fixture.js';
import { compareFixture, exceeded } from '../support/parity.js';

const sizes = 'test/fixtures/sizes';
const sizesSuite = suite('sizes that four does not divide');
const device = await testDevice();
sizesSuite.after(() => device.destroy());

// 57 rows of invented data, through the equations of the models in PyTorch: f64, gradients and Adam by torch.
for (const file of readdirSync(sizes)) {
  const fixture = readFixture(`${sizes}/${file}`);
  sizesSuite(`${fixture.case}: losses, gradients, three Adam steps, predictions are PyTorch's`, async () => {
    assert.equal(exceeded(await compareFixture(device, fixture)), []);
  });
}

sizesSuite.run();
