import { suite } from 'uvu';
import { adam } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { adamTwin } from './adam_twin.js';
import { checkRows } from './training.js';

const device = await testDevice();

const tables = suite("adam({ tables: 'fast' }) on small tables");
tables.after(() => device.destroy());

for (const [width, weightDecay] of [
  [8, 0],
  [8, 0.01],
  [3, 0],
  [1, 0],
  [1, 0.01],
]) {
  tables(`walks over all rows to the dense kernel's bits, width ${width}, decay ${weightDecay}`, () =>
    checkRows(device, adam({ weightDecay, tables: 'fast' }), (initial) => adamTwin(initial, weightDecay), {
      width,
      steps: 400,
      slots: ['exp_avg', 'exp_avg_sq'],
    }),
  );
}

tables.run();
