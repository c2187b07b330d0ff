import type { DataOptions } from '../../data/options.js';
import type { ConfigValue } from './literal.js';
import type { TrainOptions } from './options.js';

/**
 * Everything that decides a training run, resolved, checked and frozen. The options of options.ts stand in it
 * under their own names.
 */
export interface TrainConfig extends TrainOptions {
  /** As the registry spells it. */
  readonly model: string;
  readonly dataset: string;
  /** The files of --config_files, in order. */
  readonly config_files: readonly string[];
  /** Follows from valid_metric, as in RecBole. */
  readonly valid_metric_bigger: boolean;
  /** Options that the model declares, by name; embedding_size stands here too if it is one of them. */
  readonly model_options: Readonly<Record<string, ConfigValue>>;
  readonly data: DataOptions;
}

/** A configuration and what there is to say about how it came about, a line each. */
export interface LoadedConfig {
  readonly config: TrainConfig;
  readonly notes: readonly string[];
}
