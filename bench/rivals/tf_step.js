/**
 * Training steps of FM and NFM in TensorFlow.js: optimizer.minimize with tf.train.adam. Arguments: cpu or wasm.
 *
 * Rows are looked up with a gradient of our own, by scatterND: that of tf.gather needs UnsortedSegmentSum, which the wasm
 * backend lacks and which compares every id with every row of the table on the cpu one.
 */
import { createRequire } from 'node:module';
import { fail, serve, versionOf } from './serve.js';

const [backend = 'cpu'] = process.argv.slice(2);
// Its modules for import lack the methods of tensors.
const require = createRequire(import.meta.url);
const tf = require('@tensorflow/tfjs');

/** Rows of a table. [V,D], [B,F] → [B,F,D] */
const lookUp = tf.customGrad((table, rows, save) => {
  save([rows]);
  return {
    value: tf.gather(table, rows),
    gradFunc: (dy, [ids]) => [
      tf.scatterND(tf.reshape(ids, [-1, 1]), tf.reshape(dy, [-1, table.shape[1]]), table.shape),
      tf.zerosLike(ids),
    ],
  };
});

const prefix = 'first_order_linear';
const first = `${prefix}.token_embedding_table.embedding.weight`;

/** Σᵢ wᵢ + b. [B,F] → [B] */
const firstOrder = (p, rows) => tf.add(tf.sum(lookUp(p[first], rows), [1, 2]), p[`${prefix}.bias`]);

/** ½[(Σᵢ vᵢ)² − Σᵢ vᵢ²]. [B,F] → [B,D] */
function pooled(p, rows) {
  const e = lookUp(p['token_embedding_table.embedding.weight'], rows);
  return tf.mul(tf.sub(tf.square(tf.sum(e, 1)), tf.sum(tf.square(e), 1)), 0.5);
}

function batchNorm(x, weight, bias) {
  const { mean, variance } = tf.moments(x, 0);
  return tf.batchNorm(x, mean, variance, bias, weight, 1e-5);
}

const models = {
  FM: (p, rows) => tf.add(tf.sum(pooled(p, rows), 1), firstOrder(p, rows)),
  NFM: (p, rows, layers) => {
    let x = batchNorm(pooled(p, rows), p['bn.weight'], p['bn.bias']);
    for (let i = 0; i < layers; i++) {
      const [dense, norm] = [1 + 4 * i, 2 + 4 * i].map((at) => `mlp_layers.mlp_layers.${at}`);
      x = tf.add(tf.matMul(x, p[`${dense}.weight`], false, true), p[`${dense}.bias`]);
      x = tf.sigmoid(batchNorm(x, p[`${norm}.weight`], p[`${norm}.bias`]));
    }
    const z = tf.matMul(x, p['predict_layer.weight'], false, true);
    return tf.add(tf.sum(z, 1), firstOrder(p, rows));
  },
};

function openTraining(parameters, { model, options = {} }) {
  if (models[model] === undefined) throw new Error(`tf_step.js has no ${model}`);
  const layers = (options.mlp_hidden_size ?? [64, 64, 64]).length;
  tf.disposeVariables();
  const p = {};
  for (const [name, { shape, data }] of parameters) p[name] = tf.variable(tf.tensor(data, shape), true);
  const optimizer = tf.train.adam(0.001, 0.9, 0.999, 1e-8);
  return {
    async step({ rows, labels }) {
      const batch = tf.tensor(rows, [labels.length, rows.length / labels.length], 'int32');
      const target = tf.tensor1d(labels);
      // Binary cross-entropy of logits: softplus(z) − z·y.
      const lossOf = () => {
        const z = models[model](p, batch, layers);
        return tf.mean(tf.sub(tf.softplus(z), tf.mul(z, target)));
      };
      const loss = optimizer.minimize(lossOf, true);
      const [value] = await loss.data();
      tf.dispose([batch, target, loss]);
      return value;
    },
  };
}

// It greets on stdout, where only answers may be.
console.log = console.info = console.warn = console.error;
try {
  if (backend === 'wasm') require(`@tensorflow/tfjs-backend-${backend}`);
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no ${backend} here`);
  await tf.ready();
  await serve({ name: `TensorFlow.js ${versionOf('@tensorflow/tfjs-core')} ${backend}` }, openTraining);
} catch (error) {
  fail(error);
}
