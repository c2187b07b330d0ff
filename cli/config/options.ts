import { ConfigError } from '../errors.js';
import { evalArgs, metricName } from './evaluation.js';
import { formatLiteral, isDict, type ConfigValue } from './literal.js';
import { bool, choice, float, int, list, optional, special, text, type Option } from './option.js';
import type { OptionTable, OptionValues } from './option.js';

/** Arguments of PyTorch's clip_grad_norm_; only the 2-norm is taken. */
export type ClipGradNorm = { readonly max_norm: number; readonly norm_type: 2 };

const clipExample = "{'max_norm': 5, 'norm_type': 2}";

function readClip(value: ConfigValue, where: string): ClipGradNorm {
  const known = isDict(value) && Object.keys(value).every((key) => key === 'max_norm' || key === 'norm_type');
  if (!known) throw new ConfigError(`${where}: not understood; give ${clipExample}`);
  const { max_norm, norm_type = 2 } = value;
  if (typeof max_norm !== 'number' || !(max_norm > 0)) {
    throw new ConfigError(`${where}: max_norm must be a number above 0; give ${clipExample}`);
  }
  if (norm_type !== 2) {
    throw new ConfigError(
      `${where}: norm_type is ${formatLiteral(norm_type)}, but only the 2-norm is here; give 2`,
    );
  }
  return { max_norm, norm_type };
}

const clipGradNorm: Option<ClipGradNorm> = special<ClipGradNorm>(
  { max_norm: 5, norm_type: 2 },
  'dict',
  'clips the norm of all gradients together',
  readClip,
);

/** What to compute on. */
export const deviceOptions = {
  adapter: text('auto', 'device: auto, gpu, cpu, software or part of a name'),
  threads: optional(int(1, 'threads of the CPU; None: as many as it runs at once', { min: 1, max: 1024 })),
  check: bool(false, 'check every index in every kernel, on the CPU'),
} as const satisfies OptionTable;

/** Where things are, what is shown, which device: nothing here changes a result but `seed`. */
export const generalOptions = {
  seed: int(2020, 'seed of split, initial values, batch order and dropout', {
    min: 0,
    max: 2 ** 32 - 1,
  }),
  state: choice(
    'INFO',
    ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'],
    'least severe lines on the console',
  ),
  data_path: text('dataset/', 'folder of the data sets'),
  checkpoint_dir: text('saved', 'folder of the runs: checkpoints, logs, metrics'),
  saved: bool(true, 'write checkpoints'),
  show_progress: bool(true, 'progress bars on a terminal'),
  quiet: bool(false, 'print only the result'),
  log_interval: int(100, 'steps between two readings of the training loss', { min: 1 }),
  ...deviceOptions,
  profile: bool(false, 'time every kernel and write a Chrome trace'),
  lipschitz: bool(false, 'measure ‖∂p/∂e‖, norms and the gap of train and valid after each epoch'),
  lipschitz_rows: int(2048, 'rows of the valid part on which lipschitz measures', { min: 1 }),
  save_dataset: bool(false, 'keep the processed data set for the next run'),
  dataset_save_path: optional(text('', 'file of the processed data set')),
} as const satisfies OptionTable;

/** How parameters are learned. */
export const trainingOptions = {
  epochs: int(300, 'epochs to train at most', { min: 0 }),
  train_batch_size: int(2048, 'rows of a training step', { min: 1 }),
  learner: choice('adam', ['adam', 'sgd', 'adagrad', 'rmsprop', 'sparse_adam'], 'optimizer'),
  learning_rate: float(0.001, 'step size of the optimizer', { above: 0 }),
  weight_decay: float(0, 'L2 penalty in the optimizer, as PyTorch applies it', { min: 0 }),
  gradient_penalty: float(0, 'weight of ‖∂z/∂e · δ‖² in the loss: logits, embeddings, a random direction', {
    min: 0,
  }),
  dense_adam: bool(
    false,
    'update every embedding row in every step: same result but for rounding, slower, for comparison',
  ),
  clip_grad_norm: optional(clipGradNorm),
  lr_scheduler: choice('none', ['none', 'step', 'exponential', 'cosine'], 'learning rate over the epochs'),
  lr_step_size: int(10, 'epochs between two cuts of the step schedule', { min: 1 }),
  lr_gamma: float(0.1, 'factor of the step and exponential schedules', { above: 0, max: 1 }),
  lr_min: float(0, 'last learning rate of the cosine schedule', { min: 0 }),
  shuffle: bool(true, 'new order of the training rows in every epoch'),
  loss_decimal_place: int(4, 'digits of printed losses', { min: 0, max: 20 }),
  embedding_size: int(16, 'width of an embedding', { min: 1 }),
  weights: optional(text('', 'weights to begin with: a .safetensors file or a checkpoint')),
  resume: optional(text('', 'checkpoint to go on from, bit for bit')),
} as const satisfies OptionTable;

/** Scaled supervision: rating classes beside the click label. */
export const supervisionOptions = {
  multi_cls: optional(int(5, 'rating classes 1 … n to learn beside the label', { min: 2, max: 1024 })),
  multi_ratio: optional(
    float(0.5, 'share of the rating loss; 0.5 if only multi_cls is given', { min: 0, max: 1 }),
  ),
  rating_bins: optional(
    int(3, 'merge ratings into n classes by quantile; multi_cls is n then', { min: 2, max: 1024 }),
  ),
  rating_edges: optional(
    list(
      [3, 5],
      float(3, ''),
      'lowest rating of each class but the first; found by rating_bins if it is left out',
    ),
  ),
  label_smoothing: float(0, 'share of the uniform distribution in every target', { min: 0, below: 1 }),
  label_agg: choice('logit_sum', ['logit_sum', 'prob_sum'], 'how class logits become label logits'),
} as const satisfies OptionTable;

/** How a model is judged. */
export const evaluationOptions = {
  eval_args: evalArgs,
  metrics: list(['AUC', 'LogLoss'], metricName('AUC', ''), 'metrics of labelled rows'),
  valid_metric: metricName('AUC', 'metric that decides on the best epoch and on stopping'),
  eval_step: int(1, 'epochs between two evaluations; 0 never evaluates', { min: 0 }),
  stopping_step: int(5, 'evaluations without improvement that are forgiven', { min: 0 }),
  eval_batch_size: int(4096, 'rows of an evaluation step', { min: 1 }),
  metric_decimal_place: int(4, 'digits metrics are rounded to, before they are compared', {
    min: 0,
    max: 20,
  }),
  topk: list([10, 20], int(10, '', { min: 1 }), 'lengths of ranked lists, for rank-eval'),
} as const satisfies OptionTable;

/** All options of a training run but the model's own and the data set's. */
export const trainOptions = {
  ...generalOptions,
  ...trainingOptions,
  ...supervisionOptions,
  ...evaluationOptions,
} as const satisfies OptionTable;

/** What the options above become. */
export type TrainOptions = OptionValues<typeof trainOptions>;

/**
 * Point evaluation, the layer above model and data set: these defaults beat what model and data set files
 * say, as in RecBole, whose evaluation files come after them.
 */
export const evaluationLayer: ReadonlySet<string> = new Set([
  'embedding_size',
  'eval_args',
  'metrics',
  'valid_metric',
]);

/**
 * Options that change no result, so that a resumed run may set them anew; epochs and patience only end it
 * elsewhere.
 */
export const resumableOptions: ReadonlySet<string> = new Set([
  ...Object.keys(generalOptions).filter((name) => name !== 'seed'),
  'epochs',
  'stopping_step',
  'loss_decimal_place',
  'resume',
]);
