import {
  binaryCrossEntropy,
  classAggregation,
  l2Norm,
  softmaxCrossEntropy,
  softmaxCrossEntropyUniform,
  type LabelAggregation,
} from '../../engine/index.js';
import type { KernelCase } from '../launch.js';
import { bothOf, type CaseSizes, type OpCase } from './op_case.js';

/** Label logits from class logits; sums of logits have a gradient that reads none. */
function aggregationCases({ batch, classes }: CaseSizes): OpCase[] {
  const z = [batch, classes];
  const reads = { logit_sum: [], prob_sum: [z, [batch, 2]] };
  return (Object.keys(reads) as LabelAggregation[]).map((how) => ({
    name: `class_aggregation, ${how}`,
    inputs: { z },
    reads: reads[how],
    build: ({ z }) => classAggregation(z, classes - 1, how),
  }));
}

/** Supervision of one logit or of classes, and the norm that regularises weights. */
export function lossCases(sizes: CaseSizes): KernelCase[] {
  const { batch, classes, maps } = sizes;
  const z = [batch, classes];
  const [inner, outer] = maps[maps.length - 1];
  const cases: OpCase[] = [
    {
      name: 'softmax_cross_entropy',
      inputs: { z },
      labels: { rows: batch, below: classes },
      build: ({ z, label }) => softmaxCrossEntropy(z, label),
    },
    {
      name: 'softmax_cross_entropy_uniform',
      inputs: { z },
      build: ({ z }) => softmaxCrossEntropyUniform(z),
    },
    {
      name: 'binary_cross_entropy',
      inputs: { z: [batch, 1] },
      labels: { rows: batch, below: 2 },
      build: ({ z, label }) => binaryCrossEntropy(z, label),
    },
    ...aggregationCases(sizes),
    { name: 'l2_norm', inputs: { w: [outer, inner] }, build: ({ w }) => l2Norm([w]) },
  ];
  return cases.flatMap(bothOf);
}
