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

/** Groups of the tiny data set's fields, and the group of each: tokens, floats, sequences. */
const groups = {
  0: ['user_id', 'gender', 'topics', 'age'],
  1: ['item_id', 'year', 'genres'],
  2: ['daypart', 'tags', 'price'],
};
const groupOf = [0, 1, 2, 0, 1, 2, 0, 2, 0, 1];

const twin =
  (classes: number, dim: number, groupOfField = groupOf.map((_, f) => f)): Twin =>
  (p, rows) =>
    rows.map((row) => {
      const fields = row.tokens.length + row.floats.length + row.sequences.length;
      const v = Array.from({ length: fields }, (_, f) => forField(p, row, groupOfField[f], dim));
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

for (const classes of [1, 5]) {
  ffmSuite(
    `${classes} classes, fields in groups: loss and gradients are those of the double loop in f64`,
    () => {
      const tiny = { model: 'FFM', classes, embeddingSize: 3, options: { fields: groups } };
      return checkModel(device, tiny, twin(classes, 3, groupOf));
    },
  );
}

ffmSuite('names what is wrong with groups of fields', async () => {
  const tried = (fields: Readonly<Record<string, readonly string[]>>) =>
    trainTiny(device, { model: 'FFM', classes: 1, options: { fields } }, 1, 0.01).then(
      () => 'nothing',
      (error: Error) => error.message.split(';')[0],
    );
  assert.is(await tried({ ...groups, 3: ['nobody'] }), 'fields: nobody is no field of this data set');
  assert.is(await tried({ 0: groups[0], 1: groups[1] }), 'fields: daypart is in no group');
  assert.is(await tried({ ...groups, 3: ['age'] }), 'fields: age is in a group twice, or in two');
  assert.is(await tried({ ...groups, 3: [] }), 'fields: group 4 is empty');
});

ffmSuite('learns 37 rows by heart', async () => {
  for (const classes of [1, 5]) {
    const [first, last] = await trainTiny(device, { model: 'FFM', classes }, 40, 0.03);
    assert.ok(first > 0.5 && last < 0.3, `${classes} classes: loss fell from ${first} to ${last}`);
  }
});

ffmSuite.run();
