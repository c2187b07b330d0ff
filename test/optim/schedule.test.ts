import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { constantLr, cosineLr, exponentialLr, stepLr, type LrSchedule } from '../../engine/index.js';
import { close } from '../support/close.js';

const epochs = (schedule: LrSchedule, count: number) =>
  Array.from({ length: count }, (_, epoch) => schedule(1, epoch));

const constantSuite = suite('constantLr');
constantSuite('is the same in every step and epoch', () => {
  const lr = constantLr(0.3);
  assert.equal([lr(1, 0), lr(999, 7)], [0.3, 0.3]);
});
constantSuite.run();

const stepSuite = suite('stepLr');
stepSuite('drops by gamma every few epochs', () => {
  close(epochs(stepLr(1, 2, 0.1), 5), [1, 1, 0.1, 0.1, 0.01], 1e-15);
});
stepSuite.run();

const exponentialSuite = suite('exponentialLr');
exponentialSuite('drops by gamma every epoch', () => {
  close(epochs(exponentialLr(2, 0.5), 4), [2, 1, 0.5, 0.25], 1e-15);
});
exponentialSuite.run();

const cosineSuite = suite('cosineLr');
cosineSuite('falls from lr to lowest along half a cosine and stays there', () => {
  close(
    epochs(cosineLr(1, 4, 0.2), 7),
    [1, 0.2 + 0.4 * (1 + Math.SQRT1_2), 0.6, 0.2 + 0.4 * (1 - Math.SQRT1_2), 0.2, 0.2, 0.2],
    1e-15,
  );
});
cosineSuite.run();
