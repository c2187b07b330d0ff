import type { ModelOptions } from '../../cli/config/models.js';

function model(name: string, config: Readonly<Record<string, unknown>>): ModelOptions {
  const entries = Object.entries(config).map(([option, value]) => [
    option,
    { default: value, meaning: option },
  ]);
  return { name, paper: 'a paper', config: Object.fromEntries(entries) };
}

/** Stand-ins for the registry: the original's models with their options and defaults. */
export const models: readonly ModelOptions[] = [
  model('LR', {}),
  model('FM', { embedding_size: 10 }),
  model('NFM', { embedding_size: 10, mlp_hidden_size: [64, 64, 64], dropout_prob: 0 }),
  model('WideDeep', { mlp_hidden_size: [32, 16, 8], dropout_prob: 0.1 }),
  model('DeepFM', { mlp_hidden_size: [128, 128, 128], dropout_prob: 0.2 }),
  model('AutoInt', {
    attention_size: 4,
    n_layers: 2,
    num_heads: 2,
    dropout_probs: [0.2, 0.2, 0.2],
    mlp_hidden_size: [8],
  }),
  model('DCN', { mlp_hidden_size: [256, 64, 8], cross_layer_num: 6, reg_weight: 2, dropout_prob: 0.2 }),
  model('DCNV2', {
    mixed: false,
    structure: 'parallel',
    cross_layer_num: 6,
    expert_num: 4,
    low_rank: 128,
    mlp_hidden_size: [256, 64, 8],
    reg_weight: 2,
    dropout_prob: 0.2,
  }),
  model('xDeepFM', {
    mlp_hidden_size: [128, 128, 128],
    reg_weight: 5e-4,
    dropout_prob: 0.2,
    direct: false,
    cin_layer_size: [100, 100, 100],
  }),
  model('FiGNN', {
    attention_size: 16,
    n_layers: 2,
    num_heads: 2,
    hidden_dropout_prob: 0.2,
    attn_dropout_prob: 0.2,
  }),
  model('EulerNet', { order_list: [30], drop_ex: 0.3, drop_im: 0.3, apply_norm: false, reg_weight: 1e-5 }),
];
