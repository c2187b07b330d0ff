import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { benchDevice } from '../../bench/device.js';
import { benchKernels } from '../../bench/kernels.js';
import type { CaseSizes } from '../../bench/kernels/op_case.js';
import { timesOf } from '../../bench/measure.js';
import { measurePeaks } from '../../bench/peaks.js';
import { formatKernels, formatSteps, rowOf, type Row } from '../../bench/report.js';
import { benchStep } from '../../bench/step.js';

const effort = { sampleMs: 1, rounds: 2, patienceMs: 10 };
const device = await benchDevice('auto');
const { timed, peaks } = await measurePeaks(device, effort, 1 << 16);

/** Asserts that everything measured is a positive number. */
function plausible({ name, minMs, medianMs, p95Ms, cpuMs, gbPerS, ofPeak }: Row): void {
  for (const value of [minMs, medianMs, p95Ms, cpuMs, gbPerS, ofPeak]) {
    assert.ok(Number.isFinite(value) && value > 0, `${name}: ${value}`);
  }
  assert.ok(minMs <= medianMs && medianMs <= p95Ms, name);
}

const times = suite('timesOf');

times('gives minimum, median and 95th percentile', () => {
  const samples = Array.from({ length: 100 }, (_, i) => ({ ms: 100 - i, cpuMs: i + 2 }));
  assert.equal(timesOf(samples), { minMs: 1, medianMs: 51, p95Ms: 96, cpuMs: 2 });
  assert.equal(timesOf([{ ms: 3, cpuMs: 4 }]), { minMs: 3, medianMs: 3, p95Ms: 3, cpuMs: 4 });
});

const rows = suite('rowOf');

rows('relates the shortest time to the slower of the peaks', () => {
  const candidate = { name: 'a', shape: 'b', bytes: 4e6, flops: 1e6, submit: () => {} };
  const one = { candidate, minMs: 2, medianMs: 3, p95Ms: 4, cpuMs: 5 };
  const row = rowOf(one, { copyGBs: 4, fmaGFlops: 10 });
  assert.is(row.gbPerS, 2);
  assert.is(row.gflopPerS, 0.5);
  assert.is(row.ofPeak, 0.5, 'copying takes 1 ms, arithmetic 0.1');
  assert.is(rowOf(one, { copyGBs: 400, fmaGFlops: 1 }).ofPeak, 0.5);
});

const measured = suite('measurements');

measured('of the peaks are plausible', () => {
  assert.is(timed.length, 3);
  for (const one of timed) plausible(rowOf(one, peaks));
  assert.ok(peaks.copyGBs > 0 && peaks.fmaGFlops > 0);
});

measured('of all kernels are plausible', async () => {
  const sizes: CaseSizes = {
    batch: 64,
    fields: 3,
    dim: 4,
    vocabularies: [50, 500],
    sequence: 2,
    classes: 3,
    maps: [[8, 12]],
    columns: 8,
    heads: 2,
    channels: 5,
  };
  const all = await benchKernels(device, sizes, peaks, effort);
  assert.ok(all.length > 25, `${all.length} kernels`);
  for (const row of all) {
    plausible(row);
    assert.ok(row.ofCopy > 0 && Number.isFinite(row.ofCopy), row.name);
    assert.is(row.gflopPerThread > 0, row.gflopPerS > 0, row.name);
  }
  assert.is(formatKernels(all).split('\n').length, all.length + 1);
});

measured('of training steps are plausible', async () => {
  for (const model of ['FM', 'LR', 'NFM']) {
    const sizes = { model, classes: 5, batch: 32, vocabulary: 300, embeddingSize: 4 };
    const row = await benchStep(device, sizes, peaks, effort);
    plausible(row);
    assert.ok(row.feedMs > 0 && row.ofCopy > 0 && row.dispatches > 10 && row.namedRows > 20, model);
    for (const { totalMs, meanUs } of row.kernels ?? []) assert.ok(totalMs >= 0 && Number.isFinite(meanUs));
    assert.match(formatSteps([row]), `${model} multi_cls=5 step  B 32, F 7, D 4, V 300`);
  }
});

measured.after(() => device.destroy());
for (const one of [times, rows, measured]) one.run();
