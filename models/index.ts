/** The registry: one line per model, RecBole's names. */
import { afm } from './afm.js';
import { autoInt } from './autoint.js';
import { dcn } from './dcn.js';
import { dcnV2 } from './dcnv2.js';
import { deepFm } from './deepfm.js';
import { dssm } from './dssm.js';
import { eulerNet } from './eulernet.js';
import { ffm } from './ffm.js';
import { fiGnn } from './fignn.js';
import { fm } from './fm.js';
import { fnn } from './fnn.js';
import { fwFm } from './fwfm.js';
import { kdDagFm } from './kd_dagfm.js';
import { lr } from './lr.js';
import type { Model } from './model.js';
import { nfm } from './nfm.js';
import { pnn } from './pnn.js';
import { wideDeep } from './widedeep.js';
import { xDeepFm } from './xdeepfm.js';

export const models: readonly Model[] = [
  afm,
  autoInt,
  dcn,
  dcnV2,
  deepFm,
  dssm,
  eulerNet,
  ffm,
  fiGnn,
  fm,
  fnn,
  fwFm,
  kdDagFm,
  lr,
  nfm,
  pnn,
  wideDeep,
  xDeepFm,
];

export { DeviceFeed, feedsItself } from './device_feed.js';
export { Feed, segmentSpecs, type Chunk, type ChunkMemory, type FeedSpec, type SegmentSpec } from './feed.js';
export { arranged, packFeatures, type Features } from './features.js';
export { traceLoss, traceProbe, type TracedProbe } from './lipschitz.js';
export { rowLayout, type RowLayout } from './layout.js';
export type { Losses, Supervision } from './losses.js';
export { option, type Model, type Option, type OptionValue } from './model.js';
export {
  traceEvaluation,
  traceTraining,
  uploadChunk,
  uploadFeatures,
  type Program,
  type TraceSizes,
  type TracedEvaluation,
  type TracedTraining,
} from './program.js';
