import { Store, adam, compile, type Device, type Plan, type Tensor } from '../../engine/index.js';
import {
  Feed,
  packFeatures,
  segmentSpecs,
  traceEvaluation,
  traceTraining,
  uploadChunk,
  uploadFeatures,
  type Features,
  type Program,
} from '../../models/index.js';
import { maxDifference } from './close.js';
import { fixtureDataset, programOf, values, type Fixture, type GoldenTensor } from './fixture.js';

/** The largest difference of one part from the original's f64 run, and what is allowed. */
export interface PartDifference {
  readonly part: string;
  readonly difference: number;
  readonly tolerance: number;
}

/** Differences allowed to an f32 implementation: golden/README.md, "Tolerances". */
const tolerances = {
  logits: 1.3e-6,
  loss: 1e-6,
  gradient: 5e-7,
  parameter: 4e-6,
  buffer: 2e-6,
  prediction: 2e-6,
};
/** After noisy updates (see isNoise) only predictions can be compared, and only so far. */
const noisyPrediction = 2e-3;

/**
 * What rounding may cost beyond the tolerances, which are those of well-conditioned sizes: this many times what it cost the
 * original, its f32 run against its f64 run.
 */
const rounding = 8;

const strayed = (single: GoldenTensor | null | undefined, exact: GoldenTensor | null | undefined): number =>
  single && exact ? rounding * maxDifference(values(single), values(exact)) : 0;

/** The most that rounding may move a parameter: half a step of Adam, so that a wrong step is always seen. */
const leastWrongStep = ({ adam: { lr } }: Fixture) => lr / 2;

/** The most that rounding moved any gradient; a single one can be lucky. */
const strayedGradient = ({ f64, f32 }: Fixture): number =>
  Math.max(0, ...Object.entries(f64.grads).map(([name, golden]) => strayed(f32.grads?.[name], golden)));

/** A gradient that is zero in exact arithmetic: in f32 it is rounding noise, which Adam turns into steps of size lr. */
const isNoise = (gradient: GoldenTensor | null | undefined) =>
  gradient !== null && gradient !== undefined && values(gradient).every((g) => Math.abs(g) < 1e-12);

/**
 * Values of a parameter that can be compared after Adam steps: the key's part of attention's in_proj_bias [3·A] is left
 * out, as it moves all scores of a query alike, which softmax does not notice: its gradient is rounding noise.
 */
function comparable(name: string, all: ArrayLike<number>): number[] {
  const third = all.length / 3;
  const noise = (i: number) => name.endsWith('in_proj_bias') && i >= third && i < 2 * third;
  return Array.from(all).filter((_, i) => !noise(i));
}

/** What forward of the original gives: the logits, but of KD_DAGFM their probabilities. */
const forwardOf = ({ model }: Fixture, logits: Float32Array): ArrayLike<number> =>
  model === 'KD_DAGFM' ? Array.from(logits, (z) => 1 / (1 + Math.exp(-z))) : logits;

interface Setup {
  readonly device: Device;
  readonly fixture: Fixture;
  readonly program: Program;
  readonly features: Features;
  readonly rows: number;
}

async function makeStore(
  { device, fixture }: Setup,
  plans: (store: Store) => Promise<Plan>[],
): Promise<[Store, Plan[]]> {
  const store = new Store(device, 1);
  const made: Plan[] = [];
  for (const plan of plans(store)) made.push(await plan);
  for (const [name, tensor] of [
    ...Object.entries(fixture.init),
    ...Object.entries(fixture.init_buffers ?? {}),
    ...Object.entries(fixture.init_untracked ?? {}),
  ]) {
    if (tensor !== null && store.has(name)) store.write(name, Float32Array.from(values(tensor)));
  }
  return [store, made];
}

const sizesOf = (scope: string, { rows, features: { users, items } }: Setup, denseTables: boolean) => {
  return { scope, rows, capacity: rows, chunkSteps: 1, users, items, denseTables };
};

function feed(setup: Setup, store: Store, scope: string, segments: ReturnType<typeof segmentSpecs>): void {
  uploadFeatures(store, setup.features);
  const all = new Feed(setup.features, { capacity: setup.rows, chunkSteps: 1, segments });
  uploadChunk(
    store,
    scope,
    all.chunk(
      Uint32Array.from({ length: setup.rows }, (_, i) => i),
      setup.rows,
    ),
  );
}

function lossParts(fixture: Fixture, losses: Readonly<Record<string, Tensor | undefined>>) {
  const golden = fixture.f64.loss;
  const number = (value: unknown) =>
    typeof value === 'number' ? value : Number((value as GoldenTensor | null | undefined)?.data?.[0]);
  return Object.entries({ total: 'total', label: 'label_loss', rating: 'rating_loss', penalty: 'reg' })
    .map(([ours, theirs]) => ({ name: theirs, tensor: losses[ours], expected: number(golden[theirs]) }))
    .filter(({ tensor, expected }) => tensor !== undefined && Number.isFinite(expected));
}

/** Logits, losses and every gradient of the first step, with dense gradients of tables. */
async function compareGradients(setup: Setup): Promise<PartDifference[]> {
  const { device, fixture, program } = setup;
  const { tape, batch, logits, losses } = traceTraining(program, sizesOf('train', setup, true));
  const parts = lossParts(fixture, { ...losses });
  const keep = [logits, ...parts.flatMap(({ tensor }) => (tensor === undefined ? [] : [tensor]))];
  const [store, [plan]] = await makeStore(setup, (s) => [
    compile(device, s, { tape, loss: losses.total, keep }),
  ]);
  feed(setup, store, 'train', segmentSpecs(batch));
  plan.run(1);
  const found: PartDifference[] = [];
  const expected = values(fixture.f64.logits_train);
  found.push({
    part: 'logits_train',
    difference: maxDifference(forwardOf(fixture, await plan.read(logits)), expected),
    tolerance: Math.max(tolerances.logits, strayed(fixture.f32.logits_train, fixture.f64.logits_train)),
  });
  for (const { name, tensor, expected: value } of parts) {
    const [ours] = tensor === undefined ? [NaN] : await plan.read(tensor);
    const tolerance = tolerances.loss * Math.max(1, Math.abs(value));
    found.push({ part: `loss.${name}`, difference: Math.abs(ours - value), tolerance });
  }
  const tolerance = Math.max(tolerances.gradient, strayedGradient(fixture));
  const ours = new Map([...plan.gradients].map(([p, gradient]) => [p.name, gradient]));
  for (const [name, golden] of Object.entries(fixture.f64.grads)) {
    const gradient = ours.get(name);
    const part = `grad.${name}`;
    if (golden === null) {
      found.push({ part: `${part} (none)`, difference: gradient === undefined ? 0 : Infinity, tolerance: 0 });
    } else if (gradient?.kind === 'dense') {
      const read = await plan.read(gradient.tensor);
      found.push({ part, difference: maxDifference(read, values(golden)), tolerance });
    } else {
      found.push({ part: `${part} (missing)`, difference: Infinity, tolerance: 0 });
    }
  }
  plan.destroy();
  store.destroy();
  return found;
}

type Stored = `${'params' | 'buffers'}_after_${1 | 3}`;

async function compareStored(store: Store, fixture: Fixture, part: Stored, tolerance: number) {
  const { f64, f32, init } = fixture;
  const found: PartDifference[] = [];
  for (const [name, tensor] of Object.entries(f64[part] ?? {})) {
    if (tensor === null || name.endsWith('num_batches_tracked') || isNoise(f64.grads[name])) continue;
    const apart = (ours: ArrayLike<number>) =>
      maxDifference(comparable(name, ours), comparable(name, values(tensor)));
    const untouched = f64.grads[name] === null && !store.has(name);
    const difference = untouched
      ? apart(values(init[name] as GoldenTensor))
      : store.has(name)
        ? apart(await store.read(name))
        : Infinity;
    const single = f32[part]?.[name];
    const strays = single ? Math.min(rounding * apart(values(single)), leastWrongStep(fixture)) : 0;
    found.push({ part: `${part}.${name}`, difference, tolerance: Math.max(tolerance, strays) });
  }
  return found;
}

/** Parameters after 1 and 3 Adam steps by rows, the loss of each step, and predictions before and after. */
async function compareTraining(setup: Setup): Promise<PartDifference[]> {
  const { device, fixture, program } = setup;
  const { lr, beta1, beta2, eps, weight_decay: weightDecay } = fixture.adam;
  const optimizer = adam({ betas: [beta1, beta2], eps, weightDecay });
  const training = traceTraining(program, sizesOf('train', setup, false));
  const evaluation = traceEvaluation(program, sizesOf('eval', setup, false));
  const { score, ratings } = evaluation.prediction;
  const keep = [evaluation.logits, score, ...(ratings === undefined ? [] : [ratings])];
  const [store, [train, evaluate]] = await makeStore(setup, (s) => [
    compile(device, s, { tape: training.tape, loss: training.losses.total, optimizer }),
    compile(device, s, { tape: evaluation.tape, keep }),
  ]);
  feed(setup, store, 'train', segmentSpecs(training.batch));
  feed(setup, store, 'eval', []);
  train.setSchedule(1, Float32Array.from([1, 2, 3].flatMap((step) => [...optimizer.schedule(step, lr)])));
  const noisy = Object.values(fixture.f64.grads).some(isNoise);
  const found: PartDifference[] = [];
  const evaluateAt = async (when: 'before' | 'after_1' | 'after_3') => {
    const golden = fixture.f64[`eval_${when}`];
    const single = fixture.f32[`eval_${when}`];
    const tolerance = noisy && when !== 'before' ? noisyPrediction : tolerances.prediction;
    evaluate.rewind();
    evaluate.run(1);
    const read = await evaluate.read(score);
    const probability = program.supervision.classes === 1 ? read : read.filter((_, i) => i % 2 === 1);
    const compare = (
      part: 'logits' | 'predict' | 'predict_all_probs',
      ours: ArrayLike<number>,
      theirs: GoldenTensor,
      scale = 1,
    ) =>
      found.push({
        part: `eval_${when}.${part}`,
        difference: maxDifference(ours, values(theirs)),
        tolerance: Math.max(scale * tolerance, strayed(single?.[part], theirs)),
      });
    // A logit moves four times as far as the probability made of it.
    compare('logits', forwardOf(fixture, await evaluate.read(evaluation.logits)), golden.logits, 4);
    compare('predict', probability, golden.predict);
    if (ratings !== undefined && golden.predict_all_probs !== undefined) {
      compare('predict_all_probs', await evaluate.read(ratings), golden.predict_all_probs);
    }
  };
  await evaluateAt('before');
  for (let step = 1; step <= 3; step++) {
    train.rewind();
    train.run(1);
    const [loss] = await train.fetch('loss', 1);
    const expected = fixture.f64.loss_per_step[step - 1];
    const tolerance = (noisy && step > 1 ? 1e-4 : 2e-6) * Math.max(1, Math.abs(expected));
    found.push({ part: `loss of step ${step}`, difference: Math.abs(loss - expected), tolerance });
    if (step === 2) continue;
    train.flush();
    const when = step === 1 ? 'after_1' : 'after_3';
    found.push(...(await compareStored(store, fixture, `params_${when}`, tolerances.parameter)));
    const bufferTolerance = noisy && step > 1 ? noisyPrediction : tolerances.buffer;
    found.push(...(await compareStored(store, fixture, `buffers_${when}`, bufferTolerance)));
    await evaluateAt(when);
  }
  for (const plan of [train, evaluate]) plan.destroy();
  store.destroy();
  return found;
}

/** Runs a golden fixture through the engine; every part with its largest difference from the original's f64 run. */
export async function compareFixture(device: Device, fixture: Fixture): Promise<PartDifference[]> {
  const dataset = fixtureDataset(fixture);
  const hyper = { ...fixture.hyper, multi_cls: fixture.multi_cls };
  const features = packFeatures(dataset);
  const program = programOf(fixture.model, hyper, dataset.schema);
  const setup: Setup = { device, fixture, program, features, rows: dataset.inter.rows };
  return [...(await compareGradients(setup)), ...(await compareTraining(setup))];
}

/** Parts whose difference exceeds what is allowed (or is not a number). */
export const exceeded = (parts: readonly PartDifference[]): PartDifference[] =>
  parts.filter(({ difference, tolerance }) => !(difference <= tolerance));
