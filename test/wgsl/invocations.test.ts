import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { uniforms } from '../../bench/data.js';
import { openCpu } from '../../engine/cpu/open.js';
import { reflect } from '../../engine/reflect.js';
import { compileShader } from '../../engine/wgsl/compile.js';
import { Watched, groupsFor, ofSingles, orders, pagesFor, workOf } from '../support/invocations.js';
import type { Launch } from '../support/recording.js';
import { recordedLaunches, recordedWords, replay } from '../support/replay.js';
import { cpuTwins, shaderSources } from '../support/sources.js';
import { builtins, wasmOf } from '../support/wasm.js';

/** Runs a toy of 8 invocations, whose body writes y and may read x, in an order. */
function toy(body: string, order = orders['one after the other']): string | undefined {
  const source = `@group(0) @binding(0) var<storage, read> x: array<f32>;
    @group(0) @binding(1) var<storage, read_write> y: array<f32>;
    @group(0) @binding(1) var<storage, read_write> y4: array<vec4f>;
    const threads = 64u;
    @compute @workgroup_size(threads) fn toy(@builtin(global_invocation_id) id: vec3u) {
      let i = id.x;
      ${body}
    }`;
  const watched = new Watched(source, 1);
  const [x, y] = [new Float32Array(64).fill(1), new Float32Array(64)];
  const { storage } = watched.kernels.toy;
  const buffers = Object.fromEntries(storage.map(({ name }) => [name, name === 'x' ? x : y]));
  return watched.run({ entry: 'toy', buffers, groups: [8, 1, 1] }, order);
}

const watch = suite('the watch over invocations');

watch('sees two that store one word, also the same number', () => {
  assert.is(toy('y[i / 2u] = 1.0;'), 'workgroup 1 stores what 0 stored: word 0 of y');
  assert.is(
    toy('y4[i] = vec4f(0.0); if (i == 3u) { y4[5] = vec4f(x[0]); }'),
    'workgroup 5 stores what 3 stored: word 20 of y4',
  );
});

watch('sees one that loads what another stores, whoever comes first', () => {
  const next = 'y[i] = y[i + 1u];';
  assert.is(toy(next), 'workgroup 1 stores what 0 loaded: word 1 of y');
  assert.is(toy(next, orders['the last one first']), 'workgroup 6 loads what 7 stored: word 7 of y');
  assert.is(
    toy('if (i < 7u) { y[i] = y[63]; } else { y[63] = 2.0; }'),
    'workgroup 7 stores what others loaded: word 63 of y',
  );
});

watch('lets all load one word, and each change its own', () => {
  assert.is(toy('y[i] = y[i] + x[0];'), undefined);
  assert.is(toy('y4[i] = y4[i] * x[i];'), undefined);
});

const sources = shaderSources();
const launches = await recordedLaunches();
const words = recordedWords(launches);
const kernels = new Map([...sources].flatMap(([name, source]) => [...reflect(name, source)]));

const coverage = suite('launches that tests of ops and optimizers make');

/** Of a single invocation by what they do. */
const alone = ['clip_norm_factor', 'clip_norm_reset', 'l2_norm_forward', 'step_advance', 'step_check'];

coverage('have several invocations of every entry but those of one', () => {
  const most = new Map<string, number>();
  for (const { entry, over } of launches) {
    most.set(
      entry,
      Math.max(
        most.get(entry) ?? 0,
        over.reduce((product, axis) => product * axis, 1),
      ),
    );
  }
  const few = [...kernels.keys()].filter((entry) => (most.get(entry) ?? 0) < 3);
  assert.equal(few.toSorted(), alone);
});

const where = ({ shader, entry, dims, over }: Launch) =>
  `${entry} of ${shader}.wgsl with ${JSON.stringify(dims)} over ${over.join('×')}`;

/** Whether buffers hold what was recorded of launch `i`; by its buffers' numbers. */
const holds = (i: number, buffers: readonly (Uint32Array | undefined)[]): boolean =>
  words[i].every(
    (wanted, at) => wanted === undefined || wanted.every((word, k) => buffers[at]?.[k] === word),
  );

/** Launches of a shader, with the numbers by which they are known. */
const launchesOf = (name: string) =>
  launches.flatMap((launch, i) => (launch.shader === name ? [{ launch, i }] : []));

const invocations = suite('invocations of every kernel');

const twins = [...cpuTwins()].map(([name, source]) => [name, `${name} of engine/cpu`, source] as const);

for (const [name, title, source] of [
  ...[...sources].map(([name, text]) => [name, name, text] as const),
  ...twins,
]) {
  const own = launchesOf(name);
  const pages = Math.max(1, ...own.map(({ launch }) => pagesFor(workOf(launch).all)));

  invocations(`${title}: none loads or stores what another stores, and no order matters`, () => {
    const watched = new Watched(source, pages);
    const wrong = own.flatMap(({ launch, i }) =>
      Object.entries(orders).flatMap(([how, order]) => {
        const work = workOf(launch);
        // Whole workgroups, as they are launched.
        const unit = kernels.get(launch.entry)?.workgroup[0] ?? 1;
        const over = launch.over.map((count, axis) => (axis === 0 ? unit * Math.ceil(count / unit) : count));
        const groups = groupsFor(watched.kernels[launch.entry], over);
        const clash = watched.run({ ...work, groups }, order);
        if (clash === undefined && holds(i, work.all)) return [];
        return [`${where(launch)}, ${how}: ${clash ?? 'other bits'}`];
      }),
    );
    assert.equal(wrong, []);
  });

  invocations(`${title}: pieces may be cut anywhere and run in any order`, () => {
    const wasm = wasmOf(source, { pages });
    const random = uniforms(own.length);
    const wrong = own.flatMap(({ launch, i }) =>
      [1, 3, Infinity].flatMap((loops) => {
        const work = workOf(launch);
        const groups = groupsFor(wasm.kernels[launch.entry], launch.over, loops);
        const shares = pieces(groups[0] * groups[1] * groups[2], random);
        wasm.run(work.entry, { ...work, groups, shares });
        return holds(i, work.all) ? [] : [`${where(launch)}, ${loops} workgroups at most that loop`];
      }),
    );
    assert.equal(wrong, []);
  });
}

/** Ranges that together are all workgroups, cut and ordered at random. */
function pieces(count: number, random: () => number): readonly (readonly [number, number])[] {
  const cuts = new Set([0, count]);
  for (let i = 0; i < 5; i++) cuts.add(Math.floor(random() * count));
  const sorted = [...cuts].toSorted((a, b) => a - b);
  const ranges = sorted.slice(1).map((end, i) => [sorted[i], end] as const);
  return orders['in any order'](ranges.length).map((i) => ranges[i]);
}

const shared = suite('threads that share single invocations');
const singles = new Map(
  [...sources].map(([name, source]) => [name, compileShader(name, ofSingles(source), { builtins })]),
);

for (const threads of [1, 2, 3]) {
  shared(`give the bits of whole workgroups, if there are ${threads}`, async () => {
    const readModule = async (name: string) => singles.get(name) ?? new Uint8Array();
    const device = await openCpu({ threads, smallNs: 0, readModule });
    const replayed = await replay(device, launches);
    device.destroy();
    const wrong = launches.filter((_, i) => !holds(i, replayed[i]));
    assert.equal(wrong.map(where), []);
  });
}

for (const one of [watch, coverage, invocations, shared]) one.run();
