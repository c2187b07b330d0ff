export { binaryCrossEntropy } from './binary_cross_entropy.js';
export { classAggregation, type LabelAggregation } from './class_aggregation.js';
export { embeddingGather } from './embedding_gather.js';
export { embeddingPool, type PoolMode } from './embedding_pool.js';
export { fmPairs, fmPooled } from './fm_pairs.js';
export { linear } from './linear.js';
export { rowIds, type RowIdsSpec } from './row_ids.js';
export { segmentsOf } from './segment_sum.js';
export { softmaxCrossEntropy } from './softmax_cross_entropy.js';
