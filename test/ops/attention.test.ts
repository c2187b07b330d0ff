import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ShapeError, Tape, attention, dropoutMask } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, runCase, type OpCase } from '../support/gradcheck.js';

const device = await testDevice();
const attentionSuite = suite('attention');
attentionSuite.after(() => device.destroy());

interface Sizes {
  readonly batch: number;
  readonly fields: number;
  readonly heads: number;
  readonly dim: number;
}

/** Step by step, over plain lists; `mask` of weight (b,h,i,j). */
function reference(
  qkv: Float64Array,
  { batch, fields, heads, dim }: Sizes,
  mask: (b: number, h: number, i: number, j: number) => number,
): number[] {
  const width = heads * dim;
  const part = (b: number, h: number, i: number, which: number) => {
    const at = ((b * fields + i) * 3 + which) * width + h * dim;
    return Array.from(qkv.slice(at, at + dim));
  };
  const y = new Array<number>(batch * fields * width).fill(0);
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      for (let i = 0; i < fields; i++) {
        const query = part(b, h, i, 0);
        const e = Array.from({ length: fields }, (_, j) => {
          const key = part(b, h, j, 1);
          return Math.exp(query.reduce((sum, q, d) => sum + q * key[d], 0) / Math.sqrt(dim));
        });
        const total = e.reduce((a, x) => a + x, 0);
        e.forEach((weight, j) =>
          part(b, h, j, 2).forEach((value, d) => {
            y[(b * fields + i) * width + h * dim + d] += (weight / total) * mask(b, h, i, j) * value;
          }),
        );
      }
    }
  }
  return y;
}

function caseOf(sizes: Sizes, dropout = 0): OpCase {
  const { batch, fields, heads, dim } = sizes;
  const padded = 4 * Math.ceil(fields / 4);
  const masks = dropoutMask({ seed: 1, step: 0, stream: 0 }, dropout, batch * heads * fields * padded);
  return {
    inputs: { qkv: { shape: [batch, fields, 3 * heads * dim] } },
    build: ({ qkv }) => attention(qkv, heads, dropout),
    reference: ({ qkv }) =>
      reference(qkv, sizes, (b, h, i, j) => masks[((b * heads + h) * fields + i) * padded + j]),
  };
}

// one field; one head of 5; three heads of 2; whole vec4s; beyond a workgroup
for (const [batch, fields, heads, dim] of [
  [1, 1, 1, 1],
  [3, 7, 1, 5],
  [5, 9, 3, 2],
  [2, 8, 2, 4],
  [70, 3, 2, 3],
  [66, 7, 2, 8],
  [3, 10, 1, 12],
]) {
  const sizes = { batch, fields, heads, dim };
  const name = `of [${batch},${fields}] in ${heads} heads of ${dim}`;
  attentionSuite(`${name} gives the formula's result`, async () => {
    assert.equal((await runCase(device, caseOf(sizes))).shape, [batch, fields, heads * dim]);
    await checkForward(device, caseOf(sizes));
  });
  attentionSuite(`${name} has the gradient of the formula`, () => checkGradient(device, caseOf(sizes)));
  attentionSuite(`${name} drops weights as dropout does, forward and backward`, async () => {
    await checkForward(device, caseOf(sizes, 0.4));
    await checkGradient(device, caseOf(sizes, 0.4));
  });
}

attentionSuite('drops nothing in evaluation', () =>
  checkForward(device, {
    ...caseOf({ batch: 3, fields: 5, heads: 2, dim: 3 }),
    build: ({ qkv }) => attention(qkv, 2, 0.4),
    training: false,
  }),
);

attentionSuite('does not overflow', () =>
  checkForward(device, {
    inputs: { qkv: { shape: [1, 2, 3], data: [200, 200, 1, 200, -200, 5] } },
    build: ({ qkv }) => attention(qkv, 1),
    reference: () => [1, 1],
  }),
);

attentionSuite('says what does not divide', () => {
  const qkv = new Tape({ training: true }).input('x', [2, 7, 24]);
  const says = (message: string) => (error: Error) =>
    error instanceof ShapeError && error.message === message;
  assert.throws(
    () => attention(qkv, 3),
    says('attention: qkv [2,7,24] does not divide into queries, keys and values of 3 heads'),
  );
  assert.throws(() => attention(qkv, 2, 1), says('attention: dropout is 1, but 0 ≤ dropout < 1 is needed'));
});

attentionSuite.run();
