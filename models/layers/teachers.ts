import {
  ShapeError,
  cin,
  concat,
  fanInUniform,
  linear,
  normal,
  sum,
  transpose,
  type Tensor,
} from '../../engine/index.js';
import { dense, fieldCount, flatten } from '../layers.js';
import type { Builder } from '../model.js';
import { crossMatrices, crossed } from './cross.js';

const teacher = 'teacher_network';

/** Cross layers, then a linear one: e [B,F,D] → [B,K]. */
function crossNet(b: Builder, depth: number): (e: Tensor) => Tensor {
  const inner = fieldCount(b.schema) * b.embeddingSize;
  const maps = crossMatrices(b, `${teacher}.`, inner, depth);
  const head = dense(b, `${teacher}.linear`, inner, b.classes);
  return (e) => head(crossed(flatten(e), maps));
}

/** CIN without activations, all of each layer used: e [B,F,D] → [B,K]. */
function cinNet(b: Builder, widths: readonly number[]): (e: Tensor) => Tensor {
  const fields = fieldCount(b.schema);
  const layers = widths.map((width, i) => {
    const inner = fields * (i === 0 ? fields : widths[i - 1]);
    const w = b.parameter(`${teacher}.cin.${i}.conv.weight`, [width, inner, 1], fanInUniform());
    const bias = b.parameter(`${teacher}.cin.${i}.conv.bias`, [width], fanInUniform(inner));
    return (x: Tensor, e: Tensor) => cin(x, e, w, bias);
  });
  const total = widths.reduce((a, width) => a + width, 0);
  const head = b.parameter(`${teacher}.linear`, [total, b.classes], normal(0, 0.01));
  return (e) => {
    const maps: Tensor[] = [];
    for (const layer of layers) maps.push(layer(maps.at(-1) ?? e, e));
    const sums = maps.map((map) => sum(map, 2));
    return linear(concat(sums, 1), transpose(head));
  };
}

export interface TeacherSizes {
  /** Layers of a CrossNet. */
  readonly depth: number;
  /** Widths of the layers of a CIN. */
  readonly widths: readonly number[];
}

/** A teacher of KD_DAGFM by its name, CrossNet or CIN: e [B,F,D] → logits [B,K]. Throws ShapeError. */
export function teacherNetwork(
  b: Builder,
  name: string,
  { depth, widths }: TeacherSizes,
): (e: Tensor) => Tensor {
  if (name === 'CrossNet') return crossNet(b, depth);
  if (name === 'CIN') return cinNet(b, widths);
  throw new ShapeError(`teacher: "${name}" is neither CrossNet nor CIN; give one of them`);
}
