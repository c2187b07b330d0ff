/**
 * Training steps of FM and NFM in jax-js, the whole step jitted: forward pass, valueAndGrad, dense Adam.
 * Arguments: wasm or webgpu; threads of wasm.
 */
import { Worker as NodeWorker } from 'node:worker_threads';
import { fail, serve, versionOf } from './serve.js';

const [backend = 'wasm', threads = '1'] = process.argv.slice(2);

/** jax-js looks for a browser's names. */
function browserNames(gpu) {
  const value = { gpu, hardwareConcurrency: Number(threads), userAgent: 'Node' };
  Object.defineProperty(globalThis, 'navigator', { value, configurable: true });
}

/** A browser's Worker of a blob's text by Node's. */
class BrowserWorker {
  constructor(url) {
    const text = fetch(url).then((response) => response.text());
    const names =
      "const { parentPort } = require('node:worker_threads'); const self = globalThis; " +
      "const postMessage = (data) => parentPort.postMessage(data); parentPort.on('message', (data) => self.onmessage({ data }));";
    this.worker = text.then((code) => {
      const worker = new NodeWorker(`${names}\n${code}`, { eval: true });
      worker.on('message', (data) => this.onmessage?.({ data }));
      worker.on('error', (error) => this.onerror?.(error));
      return worker;
    });
  }

  postMessage(message, transfer) {
    this.worker.then((worker) => worker.postMessage(message, transfer));
  }

  terminate() {
    this.worker.then((worker) => worker.terminate());
  }
}

async function openGpu() {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const gpu = create([]);
  browserNames(gpu);
  const adapter = await gpu.requestAdapter();
  if (adapter === null) throw new Error('Dawn finds no Vulkan adapter');
  return adapter.info.description || adapter.info.device;
}

const prefix = 'first_order_linear';
const tables = {
  first: `${prefix}.token_embedding_table.embedding.weight`,
  all: 'token_embedding_table.embedding.weight',
};

/** Functions of the models over { name: array } and rows [B,F]; every use but the last of an array takes `.ref`. */
function modelsOf({ numpy: np, nn, lax }) {
  /** Σᵢ wᵢ + b. [B,F] → [B] */
  const firstOrder = (p, rows) =>
    np.take(p[tables.first], rows, 0).mul(p.one).sum([1, 2]).add(p[`${prefix}.bias`]);
  /** ½[(Σᵢ vᵢ)² − Σᵢ vᵢ²]. [B,F] → [B,D] */
  const pooled = (p, rows) => {
    const e = np.take(p[tables.all], rows, 0);
    return np.square(e.ref.sum(1)).sub(np.square(e).sum(1)).mul(0.5);
  };
  const batchNorm = (x, weight, bias) => {
    const centered = x.ref.sub(x.mean(0));
    const variance = np.square(centered.ref).mean(0);
    return centered
      .div(np.sqrt(variance.add(1e-5)))
      .mul(weight)
      .add(bias);
  };
  const linear = (x, weight, bias) => np.matmul(x, weight.transpose()).add(bias);
  return {
    FM: (p, rows) => pooled(p, rows.ref).sum(1).add(firstOrder(p, rows)),
    NFM: (p, rows, layers) => {
      let x = batchNorm(pooled(p, rows.ref), p['bn.weight'], p['bn.bias']);
      for (let i = 0; i < layers; i++) {
        const [dense, norm] = [1 + 4 * i, 2 + 4 * i].map((at) => `mlp_layers.mlp_layers.${at}`);
        x = linear(x, p[`${dense}.weight`], p[`${dense}.bias`]);
        x = nn.sigmoid(batchNorm(x, p[`${norm}.weight`], p[`${norm}.bias`]));
      }
      return np.matmul(x, p['predict_layer.weight'].transpose()).sum(1).add(firstOrder(p, rows));
    },
  };
}

function openTraining(
  { jit, valueAndGrad, numpy: np, nn, tree },
  models,
  parameters,
  { model, options = {} },
) {
  if (models[model] === undefined) throw new Error(`jax_step.js has no ${model}`);
  const layers = (options.mlp_hidden_size ?? [64, 64, 64]).length;
  /** Binary cross-entropy of logits: softplus(z) − z·y. */
  const lossOf = (p, rows, labels, one) => {
    const z = models[model]({ ...p, one }, rows, layers);
    return nn.softplus(z.ref).sub(z.mul(labels)).mean();
  };
  /** Adam as PyTorch has it; `rate` and `root` [1] are lr / (1 − β₁ᵗ) and √(1 − β₂ᵗ). */
  const train = jit((p, m, v, rate, root, rows, labels, one) => {
    const [loss, gradient] = valueAndGrad(lossOf)(tree.ref(p), rows, labels, one);
    const next = { p: {}, m: {}, v: {} };
    for (const name of Object.keys(p)) {
      const g = gradient[name];
      const [mean, square] = [
        m[name].mul(0.9).add(g.ref.mul(0.1)),
        v[name].mul(0.999).add(np.square(g).mul(0.001)),
      ];
      const step = mean.ref.mul(rate.ref).div(np.sqrt(square.ref).div(root.ref).add(1e-8));
      [next.p[name], next.m[name], next.v[name]] = [p[name].sub(step), mean, square];
    }
    rate.dispose();
    root.dispose();
    return { ...next, loss };
  });
  const filled = (fill) => Object.fromEntries([...parameters].map(([name, one]) => [name, fill(one)]));
  let p = filled(({ data, shape }) => np.array(data, { shape }));
  let [m, v] = [0, 1].map(() => filled(({ shape }) => np.zeros(shape)));
  let t = 0;
  return {
    async step({ rows, labels }) {
      t++;
      const rates = [0.001 / (1 - 0.9 ** t), Math.sqrt(1 - 0.999 ** t)].map((x) =>
        np.array(Float32Array.of(x)),
      );
      const batch = [
        np.array(rows, { dtype: np.int32, shape: [labels.length, rows.length / labels.length] }),
        np.array(labels),
      ];
      const out = train(p, m, v, ...rates, ...batch, np.array(Float32Array.of(1)));
      ({ p, m, v } = out);
      const [loss] = await out.loss.data();
      return loss;
    },
  };
}

try {
  const name = `jax-js ${versionOf('@jax-js/jax')} ${backend}`;
  const adapter = backend === 'webgpu' ? await openGpu() : browserNames(undefined);
  if (backend === 'wasm' && Number(threads) > 1) globalThis.Worker = BrowserWorker;
  const jax = await import('@jax-js/jax');
  const devices = await jax.init(backend);
  if (!devices.includes(backend)) throw new Error(`jax-js has no ${backend} here`);
  jax.defaultDevice(backend);
  const models = modelsOf(jax);
  const greeting = {
    name: adapter === undefined ? name : `${name} on ${adapter}`,
    threads: backend === 'wasm' ? Number(threads) : undefined,
  };
  await serve(greeting, (parameters, sizes) => openTraining(jax, models, parameters, sizes));
} catch (error) {
  fail(error);
}
