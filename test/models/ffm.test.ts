import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testDevice } from '../support/device.js';
import { readFixture } from '../support/fixture.js';
import { checkModel, trainTiny, type Parameters, type TinyRow, type Twin } from '../support/model_check.js';
import { compareFixture, exceeded } from '../support/parity.js';
import { firstOrderOf, summed } from '../support/twins.js';

const ffmSuite = suite('FFM');
const device = await testDevice();
ffmSuite.after(() => device.destroy());

ffmSuite('is equal to the original in logits, losses, gradients, three Adam steps, predictions', async () => {
  assert.equal(exceeded(await compareFixture(device, readFixture('test/fixtures/golden/FFM.json'))), []);
});

/** Embeddings of a row's features for field f: tokens, floats, sequences. */
function forField(p: Parameters, row: TinyRow, f: number, dim: number): number[][] {
  const at = (table: string, id: number) =>
    Array.from(p[`ffm.${table}.weight`].slice(id * dim, (id + 1) * dim));
  const tokens = row.tokens.map((id) => at(`token_embeddings.${f}`, id));
  const floats = row.floats.map(({ row: id, value }) =>
    at(`float_embeddings.${f}`, id).map((x) => value * x),
  );
  const sequences = row.sequences.map((ids, k) => {
    const all = ids.map((id) => at(`token_seq_embeddings.0.${k}`, id));
    return Array.from({ length: dim }, (_, d) => all.reduce((sum, e) => sum + e[d] / ids.length, 0));
  });
  return [...tokens, ...floats, ...sequences];
}

const twin =
  (classes: number, dim: number): Twin =>
  (p, rows) =>
    rows.map((row) => {
      const fields = row.tokens.length + row.floats.length + row.sequences.length;
      const v = Array.from({ length: fields }, (_, f) => forField(p, row, f, dim));
      const pooled = Array.from({ length: dim }, (_, d) => {
        let sum = 0;
        for (let i = 0; i < fields; i++) for (let j = i + 1; j < fields; j++) sum += v[j][i][d] * v[i][j][d];
        return sum;
      });
      const pairs = summed(p, pooled, classes);
      return firstOrderOf(p, row, classes).map((first, k) => first + pairs[k]);
    });

for (const [classes, dim] of [
  [1, 3],
  [1, 4],
  [5, 3],
  [5, 4],
] as const) {
  ffmSuite(`${classes} classes, D ${dim}: loss and gradients are those of the double loop in f64`, () =>
    checkModel(device, { model: 'FFM', classes, embeddingSize: dim }, twin(classes, dim)),
  );
}

ffmSuite('learns 37 rows by heart', async () => {
  for (const classes of [1, 5]) {
    const [first, last] = await trainTiny(device, { model: 'FFM', classes }, 40, 0.03);
    assert.ok(first > 0.5 && last < 0.3, `${classes} classes: loss fell from ${first} to ${last}`);
  }
});

ffmSuite.run();
