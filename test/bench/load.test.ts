import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { benchLoads, installPandas, usualLoad } from '../../bench/load.js';
import { formatLoads } from '../../bench/report.js';
import { findPython } from '../../bench/rival.js';
import { syntheticSpec } from '../../data/synthetic.js';
import { testWhen } from '../support/skip.js';

const python = await findPython('pandas');
const spec = syntheticSpec({ like: 'ml-1m', users: 60, items: 50, interactions: 1500 });
const rows = await benchLoads(spec, 1);

const loads = suite('benchLoads');

loads('times the atomic files and the file that keeps what they come to', () => {
  const names = rows.map(({ name }) => name);
  assert.equal(names.slice(0, 2), ['atomic files', 'kept data set']);
  assert.is(rows.length, python === undefined ? 2 : 3);
  for (const { minMs, medianMs, cpuMs, shape } of rows) {
    assert.ok(minMs > 0 && medianMs >= minMs && cpuMs > 0);
    assert.is(shape, '1,500 interactions');
  }
  assert.is(formatLoads(rows).split('\n').length, rows.length + 1);
});

testWhen(
  python !== undefined,
  installPandas,
  loads,
  'compares with pandas, which comes to the same',
  async () => {
    assert.match(rows[2].name, /^pandas \d/);
    assert.is(rows[2].overPandas, 1);
    assert.ok((rows[0].overPandas ?? 0) > 0);
  },
);

loads('are of a million interactions by default', () => {
  assert.is(usualLoad.interactions, 1_000_209);
});

loads.run();
