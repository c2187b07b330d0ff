import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Runner } from '../../cli/runner.js';
import { putWeights, readWeights } from '../../cli/weights.js';
import { readSafetensors, writeSafetensors, type Weight } from '../../cli/weights/safetensors.js';
import { allRows } from '../../data/rows.js';
import { adam } from '../../engine/index.js';
import { packFeatures } from '../../models/index.js';
import { close } from '../support/close.js';
import { testDevice } from '../support/device.js';
import { datasetOf, programOf, readFixture, schemaOf, values } from '../support/fixture.js';
import { ended, predictScript, rankEvalScript, trainedFolder } from '../support/trained.js';
import { runs, trainScript } from '../support/train.js';

const exportScript = resolve('cli/export.js');
const golden = 'test/fixtures/golden';

const flags = ['--model=FM', '--multi_cls=5'];
const { folder, checkpoint } = await trainedFolder('--multi_cls=5');
const common = ['--dataset=toy', '--embedding_size=4', '--eval_batch_size=256', '--quiet'];
const run = (script: string, ...argv: readonly string[]) => ended(folder, [script, ...argv]);
const file = (name: string) => join(folder, name);
const originals = suite('weights of the original');
const device = await testDevice();
originals.after(() => device.destroy());

for (const name of ['NFM', 'WideDeep_mc5', 'xDeepFM', 'EulerNet_norm']) {
  originals(`${name}: its state_dict as safetensors scores as it does there`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weights-'));
    const fixture = readFixture(`${golden}/${name}.json`);
    const { f64: run, fields, batch, hyper, multi_cls } = fixture;
    const all = { ...run.params_after_3, ...run.buffers_after_3 };
    const tensors = Object.entries(all).flatMap(([key, tensor]): [string, Weight][] =>
      tensor === null ? [] : [[key, { shape: tensor.shape, data: Float32Array.from(values(tensor)) }]],
    );
    const path = join(folder, 'model.safetensors');
    await writeSafetensors(path, new Map(tensors), {});
    const schema = schemaOf(fields);
    const features = packFeatures(datasetOf(schema, batch));
    const rows = batch.label.shape[0];
    const program = programOf(fixture.model, { ...hyper, multi_cls }, schema);
    const sizes = { trainBatch: rows, evalBatch: rows, trainRows: 0, optimizer: adam(), seed: 1 };
    const runner = await Runner.open(device, program, features, sizes);
    putWeights(runner.store, await readWeights(path));
    const { score } = await runner.scores(allRows(rows));
    close(score, values(run.eval_after_3.predict), 2e-6, 'scores');
    runner.destroy();
    rmSync(folder, { recursive: true });
  });
}

const exchange = suite('export and --weights');

exchange('a model is exported under the names of the reference, with the tokens of its ids', async () => {
  const { code, out, err } = await run(exportScript, `--checkpoint=${checkpoint}`, '--to=w.safetensors');
  assert.is(code, 0, err);
  assert.match(
    out,
    /^FM: \d+ tensors, [\d,]+ numbers, in w\.safetensors\nids of \d+ fields in w\.ids\.json; /,
  );
  const tensors = await readSafetensors(file('w.safetensors'));
  const shape = (name: string) => [...(tensors.get(name)?.shape ?? [])];
  assert.equal(shape('pair_layer.weight'), [5, 4]);
  assert.equal(shape('first_order_linear.bias'), [5]);
  assert.ok(![...tensors.keys()].some((name) => name.includes('exp_avg') || name.startsWith('last_step')));
  const { schema, tokens } = JSON.parse(readFileSync(file('w.ids.json'), 'utf8')) as {
    schema: { token: { name: string; cardinality: number }[] };
    tokens: Record<string, string[]>;
  };
  for (const { name, cardinality } of schema.token) assert.is(tokens[name].length, cardinality, name);
  assert.equal(tokens.user_id.slice(0, 1), ['[PAD]']);
});

/** The last lines of a command, which say the metrics. */
const result = async (script: string, ...argv: readonly string[]) => {
  const { code, out, err } = await run(script, ...argv);
  assert.is(code, 0, err);
  return out.trim().split('\n').slice(-1)[0];
};

exchange('rank-eval and predict score with weights from a file as with those they came from', async () => {
  const other = ['--learning_rate=0.1', '--epochs=1', ...flags, ...common];
  assert.is((await run(trainScript, ...other)).code, 0);
  const second = join(runs(folder).at(-1) ?? '', 'best.ckpt');
  const ranked = (...argv: readonly string[]) => result(rankEvalScript, '--quiet', ...argv);
  const own = await ranked(`--checkpoint=${checkpoint}`);
  assert.is.not(await ranked(`--checkpoint=${second}`), own);
  assert.is(await ranked(`--checkpoint=${second}`, '--weights=w.safetensors'), own);
  assert.is(await ranked(`--checkpoint=${second}`, `--weights=${checkpoint}`), own);
  const scored = async (...argv: readonly string[]) =>
    (await run(predictScript, '--topk=3', '--users=u1,u2', '--quiet', ...argv)).out;
  const lines = await scored(`--checkpoint=${checkpoint}`);
  assert.match(lines, /u1\t/);
  assert.is(await scored(`--checkpoint=${second}`, '--weights=w.safetensors'), lines);
});

exchange('train begins with them: without an epoch it is the same model', async () => {
  const begun = await run(trainScript, ...flags, ...common, '--epochs=0', '--weights=w.safetensors');
  assert.is(begun.code, 0, begun.err);
  const again = join(runs(folder).at(-1) ?? '', 'best.ckpt');
  assert.is((await run(exportScript, `--checkpoint=${again}`, '--to=again.safetensors')).code, 0);
  const [before, after] = [
    await readSafetensors(file('w.safetensors')),
    await readSafetensors(file('again.safetensors')),
  ];
  assert.equal([...after.keys()], [...before.keys()]);
  for (const [name, { data }] of before) assert.equal([...(after.get(name) as Weight).data], [...data], name);
});

exchange('says what does not fit', async () => {
  const says = async (pattern: RegExp, script: string, ...argv: readonly string[]) => {
    const { code, err } = await run(script, ...argv);
    assert.is(code, 1);
    assert.match(err, pattern);
  };
  const train = (...argv: readonly string[]) => [...common, '--epochs=0', ...argv] as const;
  await says(
    /^train: weights w\.safetensors: first_order_linear\.\S+ is \[\d+,5\], but this model needs \[\d+,1\]; give weights of this very model/m,
    trainScript,
    ...train('--model=FM', '--weights=w.safetensors'),
  );
  await says(
    /^train: weights w\.safetensors: has no \S+ \[[\d,]+\], which this model needs/m,
    trainScript,
    ...train('--model=DeepFM', '--multi_cls=5', '--weights=w.safetensors'),
  );
  await says(
    /^train: weights w\.safetensors: has a pair_layer\.weight \[5,4\], which this model has not/m,
    trainScript,
    ...train('--model=LR', '--multi_cls=5', '--weights=w.safetensors'),
  );
  await says(
    /^export: --to=w\.onnx: not a kind of file that is written here; give a name that ends in \.safetensors/,
    exportScript,
    `--checkpoint=${checkpoint}`,
    '--to=w.onnx',
  );
  await says(/^export: --to: missing/, exportScript, `--checkpoint=${checkpoint}`);
});

exchange('says whose rows the rows of the tables are, if they are others', async () => {
  copyFileSync(file('w.safetensors'), file('moved.safetensors'));
  const ids = readFileSync(file('w.ids.json'), 'utf8');
  const rankWith = (name: string) =>
    run(rankEvalScript, `--checkpoint=${checkpoint}`, `--weights=${name}`, '--quiet');
  assert.is((await rankWith('moved.safetensors')).code, 0, 'without ids they are taken on trust');
  writeFileSync(file('moved.ids.json'), ids.replace('"u1"', '"u_one"'));
  const { code, err } = await rankWith('moved.safetensors');
  assert.is(code, 1);
  assert.match(err, /weights moved\.safetensors: user_id has other ids: \d+ was "u_one" and is "u1"/);
  writeFileSync(file('moved.ids.json'), '{}');
  assert.match(
    (await rankWith('moved.safetensors')).err,
    /ids moved\.ids\.json: tokens is not a set of fields/,
  );
});

const beginning = suite('what a run begins with');

beginning('is said where a model names it, as the phases of KD_DAGFM do', async () => {
  const phase = (...argv: readonly string[]) =>
    run(
      trainScript,
      ...common.slice(0, -1),
      '--model=KD_DAGFM',
      '--teacher=CIN',
      '--t_cin=[4]',
      '--depth=1',
      ...argv,
    );
  assert.is((await phase('--epochs=1')).code, 0);
  const teacher = join(runs(folder).at(-1) ?? '', 'best.ckpt');
  const { code, out, err } = await phase('--phase=distillation', `--warm_up=${teacher}`, '--epochs=1');
  assert.is(code, 0, err);
  assert.match(out, `beginning with checkpoint ${teacher}`);
  const student = join(runs(folder).at(-1) ?? '', 'best.ckpt');
  const weights = async (path: string) => (await readWeights(path)).tensors;
  const [before, after] = [await weights(teacher), await weights(student)];
  for (const [name, { data }] of before) {
    const same = data.every((value, i) => value === (after.get(name) as Weight).data[i]);
    assert.is(same, !/^student_network\.(p|q|linear|connect)/.test(name), name);
  }
});

beginning('is said where a model changes an option', async () => {
  const odd = ['--model=xDeepFM', '--cin_layer_size=[5,4]', '--epochs=0'];
  const { code, out, err } = await run(trainScript, ...common.slice(0, -1), ...odd);
  assert.is(code, 0);
  assert.match(out + err, 'cin_layer_size: [5,4] has odd widths, which cannot be halved; it is [4,4] now');
});

originals.run();
exchange.run();
beginning.run();
