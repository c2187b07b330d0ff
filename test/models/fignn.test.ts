import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { attentionOf, shares } from '../support/attention_twin.js';
import { testDevice } from '../support/device.js';
import { readFixture } from '../support/fixture.js';
import { checkModel, trainTiny, type Parameters, type Twin } from '../support/model_check.js';
import { compareFixture, exceeded } from '../support/parity.js';
import { affine, embeddingsOf, relu, sigmoid } from '../support/twins.js';

const golden = 'test/fixtures/golden';
const fiGnnSuite = suite('FiGNN');
const device = await testDevice();
fiGnnSuite.after(() => device.destroy());

for (const name of ['FiGNN', 'FiGNN_mc5', 'FiGNN_1layer']) {
  fiGnnSuite(
    `${name}: equal to the original in logits, losses, gradients, three Adam steps, predictions`,
    async () => {
      assert.equal(exceeded(await compareFixture(device, readFixture(`${golden}/${name}.json`))), []);
    },
  );
}

type Nodes = readonly (readonly number[])[];

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i], 0);

/** Field f's own matrix of `name` [F,A,A] times x. */
const mapped = (p: Parameters, name: string, f: number, x: readonly number[]) =>
  affine({ 'own.weight': p[name].slice(f * x.length ** 2, (f + 1) * x.length ** 2) }, 'own', x);

function graphOf(p: Parameters, a: Nodes): number[][] {
  const w = Array.from(p['W_attn.weight']);
  return a.map((source, i) => {
    const others = a.map((_, j) => j).filter((j) => j !== i);
    const weights = shares(
      others.map((j) => {
        const z = dot(w, [...source, ...a[j]]);
        return z > 0 ? z : 0.01 * z;
      }),
    );
    return a.map((_, j) => (j === i ? 0 : weights[others.indexOf(j)]));
  });
}

function gruOf(p: Parameters, x: readonly number[], h: readonly number[]): number[] {
  const width = h.length;
  const parts = (of: string, v: readonly number[]) =>
    affine({ 'g.weight': p[`gru_cell.weight_${of}`], 'g.bias': p[`gru_cell.bias_${of}`] }, 'g', v);
  const [gi, gh] = [parts('ih', x), parts('hh', h)];
  return h.map((state, a) => {
    const r = sigmoid(gi[a] + gh[a]);
    const z = sigmoid(gi[width + a] + gh[width + a]);
    const n = Math.tanh(gi[2 * width + a] + r * gh[2 * width + a]);
    return (1 - z) * n + z * state;
  });
}

function stepOf(p: Parameters, layer: number, graph: Nodes, h: Nodes, a: Nodes): number[][] {
  const sent = h.map((node, f) => mapped(p, `gnn.${layer}.W_out`, f, node));
  return h.map((node, i) => {
    const heard = node.map((_, c) =>
      dot(
        graph[i],
        sent.map((one) => one[c]),
      ),
    );
    const message = mapped(p, `gnn.${layer}.W_in`, i, heard).map((x, c) => x + p[`gnn.${layer}.bias_p`][c]);
    return gruOf(p, message, node).map((x, c) => x + a[i][c]);
  });
}

interface Shape {
  readonly classes: number;
  readonly dim: number;
  readonly heads: number;
  readonly layers: number;
  readonly hidden: number;
  readonly weights: number;
}

const twin =
  ({ classes, dim, heads, layers, hidden, weights }: Shape): Twin =>
  (p, rows, drop) => {
    const e = rows.map((row) => embeddingsOf(p, '', row, dim, 'mean'));
    const entered = e.map((row) => row.map((field) => affine(p, 'att_embedding', field)));
    const width = entered[0][0].length;
    const flat = drop(
      entered.map((row) => row.flat()),
      hidden,
    );
    const x = flat.map((row) => e[0].map((_, f) => row.slice(f * width, (f + 1) * width)));
    const attended = attentionOf(p, 'self_attn', x, heads, { drop, p: weights });
    return attended.map((row, b) => {
      const a = row.map((field, f) => {
        const added = affine(p, 'v_res_embedding', e[b][f]);
        return field.map((value, c) => relu(value + added[c]));
      });
      const graph = layers > 1 ? graphOf(p, a) : [];
      let h: Nodes = a;
      for (let layer = 0; layer < layers - 1; layer++) h = stepOf(p, layer, graph, h, a);
      return Array.from({ length: classes }, (_, k) => {
        const [one, two] = classes === 1 ? ['mlp1', 'mlp2'] : [`mlp1_layers.${k}`, `mlp2_layers.${k}`];
        return dot(
          affine(p, two, h.flat()),
          h.map((node) => affine(p, one, node)[0]),
        );
      });
    });
  };

// one head of 5, three heads of 2, whole vec4s; one state, so that there is no graph
for (const [classes, dim, heads, width, layers, hidden, weights] of [
  [1, 6, 1, 5, 3, 0, 0],
  [5, 6, 3, 6, 2, 0.3, 0.2],
  [1, 4, 2, 8, 2, 0.2, 0],
  [5, 3, 2, 4, 1, 0, 0.3],
] as const) {
  const about = `D ${dim}, ${layers} layers of ${heads} heads over ${width}, dropout ${hidden} and ${weights}`;
  fiGnnSuite(`${classes} classes, ${about}: loss and gradients are those of the equations in f64`, () => {
    const options = {
      attention_size: width,
      n_layers: layers,
      num_heads: heads,
      hidden_dropout_prob: hidden,
      attn_dropout_prob: weights,
    };
    const shape = { classes, dim, heads, layers, hidden, weights };
    return checkModel(device, { model: 'FiGNN', classes, embeddingSize: dim, options }, twin(shape));
  });
}

fiGnnSuite('learns 37 rows by heart, also with dropout', async () => {
  for (const classes of [1, 5]) {
    const options = { attention_size: 8, hidden_dropout_prob: 0.1, attn_dropout_prob: 0.1 };
    const [first, last] = await trainTiny(device, { model: 'FiGNN', classes, options }, 40, 0.02);
    assert.ok(first > 0.5 && last < 0.4, `${classes} classes: loss fell from ${first} to ${last}`);
  }
});

fiGnnSuite('says which options do not fit', async () => {
  const train = (options: Readonly<Record<string, number>>) =>
    trainTiny(device, { model: 'FiGNN', classes: 1, options }, 1, 0.01).then(
      () => 'no error',
      (error: Error) => `${error.name}: ${error.message}`,
    );
  assert.is(
    await train({ num_heads: 3 }),
    'ShapeError: num_heads: attention_size 16 does not divide into 3 heads; choose a num_heads that divides attention_size',
  );
  assert.is(
    await train({ n_layers: 0 }),
    'ShapeError: n_layers: is 0, but the first state counts; give 1 or more',
  );
});

fiGnnSuite.run();
