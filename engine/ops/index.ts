export { rowIds, type RowIdsSpec } from './row_ids.js';
export { segmentsOf } from './segment_sum.js';
