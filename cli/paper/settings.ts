/** How a run is supervised: by the label alone, or by five classes of ratings with this multi_ratio. */
export type Head = 'binary' | '0.1' | '0.3' | '0.5' | '0.7' | '0.9';

/** Runs of one setting: for each seed in turn, every head. */
export interface PaperRuns {
  readonly seeds: readonly string[];
  readonly heads: readonly Head[];
}

/** What the paper trains a model with on a data set; values as typed. */
export interface PaperSetting {
  readonly dataset: string;
  readonly model: string;
  readonly options: Readonly<Record<string, string>>;
  readonly runs: readonly PaperRuns[];
  /** The binary runs keep the processed data set. */
  readonly saves?: true;
}

/** The seeds over which the paper takes means. */
export const paperSeeds: readonly string[] = ['2020', '2021', '2022', '2023', '2024'];

const once = (...heads: readonly Head[]): PaperRuns => ({ seeds: paperSeeds.slice(0, 1), heads });
const repeated = (...heads: readonly Head[]): PaperRuns => ({ seeds: paperSeeds, heads });
const sweep = [repeated('0.1'), repeated('0.3'), repeated('0.7'), repeated('0.9')];

/** Every setting of the paper, in its order. */
export const paperSettings: readonly PaperSetting[] = [
  {
    dataset: 'ml-1m',
    model: 'AutoInt',
    options: {
      learning_rate: '1e-3',
      n_layers: '3',
      attention_size: '8',
      num_heads: '2',
      dropout_probs: '[0.2, 0.2, 0.2]',
      mlp_hidden_size: '[256, 256, 256]',
    },
    runs: [repeated('binary', '0.5')],
  },
  {
    dataset: 'ml-1m',
    model: 'EulerNet',
    options: {
      learning_rate: '1e-3',
      order_list: '[8]',
      drop_ex: '0.3',
      drop_im: '0.5',
      apply_norm: 'False',
      reg_weight: '5e-4',
    },
    runs: [repeated('binary', '0.1')],
    saves: true,
  },
  {
    dataset: 'ml-1m',
    model: 'DCNV2',
    options: {
      cross_layer_num: '2',
      dropout_prob: '0.2',
      learning_rate: '1e-3',
      mlp_hidden_size: '[256, 256, 256]',
      structure: 'parallel',
      reg_weight: '2',
    },
    runs: [once('binary', '0.5'), ...sweep],
  },
  {
    dataset: 'ml-1m',
    model: 'WideDeep',
    options: { learning_rate: '5e-3', dropout_prob: '0.2', mlp_hidden_size: '[128, 128, 128]' },
    runs: [once('binary', '0.5'), ...sweep],
  },
  {
    dataset: 'ml-1m',
    model: 'FiGNN',
    options: {
      learning_rate: '5e-3',
      n_layers: '2',
      num_heads: '2',
      attention_size: '8',
      attn_dropout_prob: '0.2',
      hidden_dropout_prob: '0.3',
    },
    runs: [repeated('binary', '0.1')],
  },
  {
    dataset: 'ml-1m',
    model: 'NFM',
    options: { learning_rate: '5e-3', dropout_prob: '0.5', mlp_hidden_size: '[512, 512, 512]' },
    runs: [once('binary', '0.5')],
  },
  {
    dataset: 'ml-1m',
    model: 'xDeepFM',
    options: {
      learning_rate: '5e-4',
      dropout_prob: '0.1',
      mlp_hidden_size: '[512, 512, 512]',
      cin_layer_size: '[200, 200, 200]',
    },
    runs: [once('0.5'), ...sweep],
  },
  {
    dataset: 'yelp2018',
    model: 'DCNV2',
    options: {
      cross_layer_num: '2',
      dropout_prob: '0.2',
      learning_rate: '5e-3',
      mlp_hidden_size: '[64, 64, 64]',
      structure: 'parallel',
      reg_weight: '2',
    },
    runs: [once('binary', '0.5'), ...sweep],
  },
  {
    dataset: 'yelp2018',
    model: 'EulerNet',
    options: {
      learning_rate: '1e-3',
      order_list: '[8]',
      drop_ex: '0.3',
      drop_im: '0.3',
      apply_norm: 'False',
      reg_weight: '5e-4',
    },
    runs: [repeated('binary', '0.5')],
  },
  {
    dataset: 'yelp2018',
    model: 'AutoInt',
    options: {
      num_heads: '2',
      n_layers: '3',
      attention_size: '8',
      learning_rate: '1e-3',
      dropout_probs: '[0.0, 0.0, 0.0]',
      mlp_hidden_size: '[128, 128, 128]',
    },
    runs: [once('binary', '0.5')],
  },
  {
    dataset: 'yelp2018',
    model: 'WideDeep',
    options: { learning_rate: '5e-4', dropout_prob: '0.1', mlp_hidden_size: '[256, 256, 256]' },
    runs: [once('binary', '0.5'), ...sweep],
  },
  {
    dataset: 'yelp2018',
    model: 'xDeepFM',
    options: {
      learning_rate: '5e-4',
      dropout_prob: '0.1',
      mlp_hidden_size: '[512, 512, 512]',
      cin_layer_size: '[100, 100, 100]',
    },
    runs: [once('0.5'), ...sweep],
  },
  {
    dataset: 'amazon-books',
    model: 'DCNV2',
    options: {
      cross_layer_num: '4',
      dropout_prob: '0.2',
      learning_rate: '1e-3',
      mlp_hidden_size: '[64, 64]',
      structure: 'parallel',
      reg_weight: '2',
    },
    runs: [once('binary', '0.5'), ...sweep],
  },
  {
    dataset: 'amazon-books',
    model: 'EulerNet',
    options: {
      learning_rate: '1e-3',
      order_list: '[8]',
      drop_ex: '0.3',
      drop_im: '0.5',
      apply_norm: 'False',
      reg_weight: '0',
    },
    runs: [repeated('binary', '0.5')],
  },
  {
    dataset: 'amazon-books',
    model: 'WideDeep',
    options: { learning_rate: '5e-4', dropout_prob: '0.1', mlp_hidden_size: '[64, 64, 64]' },
    runs: [once('binary', '0.5'), ...sweep],
  },
  {
    dataset: 'amazon-books',
    model: 'xDeepFM',
    options: {
      learning_rate: '1e-4',
      dropout_prob: '0.5',
      mlp_hidden_size: '[256, 256, 256]',
      cin_layer_size: '[200, 200, 200]',
    },
    runs: sweep,
  },
  {
    dataset: 'amazon-books',
    model: 'AutoInt',
    options: {
      num_heads: '2',
      n_layers: '3',
      attention_size: '8',
      learning_rate: '1e-3',
      dropout_probs: '[0.0, 0.0, 0.0]',
      mlp_hidden_size: '[64, 64, 64]',
    },
    runs: [once('binary')],
  },
];
