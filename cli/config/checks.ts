import { ConfigError } from '../errors.js';
import { higherIsBetter } from '../metrics.js';
import type { Assignment } from './assignment.js';
import type { TrainConfig } from './train_config.js';

type Winners = ReadonlyMap<string, Assignment>;

/** How a message names an option: as its winner does, or by its value. */
function label(name: keyof TrainConfig, config: TrainConfig, winners: Winners): string {
  return winners.get(name)?.where ?? `${name}=${String(config[name])}`;
}

/**
 * Class k is the rating k, and the label is the rating at the threshold: the threshold must fall between
 * classes.
 */
function checkThreshold(config: TrainConfig, where: string): void {
  const { threshold, RATING_FIELD: rating } = config.data;
  const classes = config.multi_cls ?? 0;
  const at = threshold?.[rating];
  const example = `--threshold="{'${rating}': ${Math.ceil((classes + 3) / 2)}}"`;
  if (at === undefined) {
    throw new ConfigError(`${where}: needs the rating from which a row is positive; give ${example}`);
  }
  // Merged classes are cut at the threshold, whatever it is.
  if (config.rating_bins !== null) return;
  if (!Number.isInteger(at) || at < 2 || at > classes) {
    throw new ConfigError(
      `${where}: a threshold of ${at} leaves no whole classes on both sides; give one of 2 … ${classes}`,
    );
  }
}

function checkBins(config: TrainConfig, winners: Winners): void {
  const { multi_cls, rating_bins, rating_edges } = config;
  if (rating_bins !== null && multi_cls !== rating_bins) {
    throw new ConfigError(
      `${label('multi_cls', config, winners)}: ratings are merged into ${rating_bins} classes by rating_bins; ` +
        `give ${rating_bins}, or leave it out`,
    );
  }
  if (rating_edges === null) return;
  const where = label('rating_edges', config, winners);
  if (rating_edges.length + 1 !== rating_bins) {
    const classes = rating_edges.length + 1;
    throw new ConfigError(
      `${where}: makes ${classes} classes, but rating_bins is ${rating_bins ?? 'None'}; give --rating_bins=${classes}`,
    );
  }
  if (rating_edges.some((edge, i) => i > 0 && edge <= rating_edges[i - 1])) {
    throw new ConfigError(
      `${where}: not in ascending order; give the lowest rating of each class, such as [3, 5]`,
    );
  }
}

function checkSupervision(config: TrainConfig, winners: Winners): readonly string[] {
  checkBins(config, winners);
  const { multi_cls, multi_ratio, label_agg } = config;
  if (multi_cls === null) {
    if (multi_ratio !== null) {
      const where = label('multi_ratio', config, winners);
      throw new ConfigError(`${where}: has no meaning without classes; give --multi_cls=5 as well`);
    }
    return label_agg === 'logit_sum' ? [] : [`label_agg=${label_agg} without effect: no multi_cls is given`];
  }
  checkThreshold(config, label('multi_cls', config, winners));
  return [];
}

function checkMetrics(config: TrainConfig, winners: Winners): void {
  const { metrics, valid_metric } = config;
  if (metrics.length === 0) {
    throw new ConfigError(
      `${label('metrics', config, winners)}: empty; give a list such as ['AUC', 'LogLoss']`,
    );
  }
  if (!metrics.includes(valid_metric)) {
    const where = label('valid_metric', config, winners);
    throw new ConfigError(`${where}: not one of the metrics ${metrics.join(', ')}; add it to --metrics`);
  }
}

function checkOptimizer(config: TrainConfig, winners: Winners): void {
  if (config.dense_adam && config.learner !== 'adam') {
    const where = label('dense_adam', config, winners);
    throw new ConfigError(
      `${where}: belongs to learner adam, but the learner is ${config.learner}; leave it out`,
    );
  }
}

/** What no option can check alone. Returns notes; throws ConfigError. */
export function checkTogether(config: TrainConfig, winners: Winners): readonly string[] {
  checkMetrics(config, winners);
  checkOptimizer(config, winners);
  return checkSupervision(config, winners);
}

/** What follows from other options: classes of bins, a ratio for classes without one, the direction of the metric. */
export function derived(config: {
  readonly multi_cls: number | null;
  readonly multi_ratio: number | null;
  readonly rating_bins: number | null;
  readonly valid_metric: string;
}): {
  readonly multi_cls: number | null;
  readonly multi_ratio: number | null;
  readonly valid_metric_bigger: boolean;
  readonly notes: readonly string[];
} {
  const multi_cls = config.multi_cls ?? config.rating_bins;
  const missing = multi_cls !== null && config.multi_ratio === null;
  return {
    multi_cls,
    // 0.5: label and rating weigh the same, the ratio of most of the paper's runs.
    multi_ratio: missing ? 0.5 : config.multi_ratio,
    valid_metric_bigger: higherIsBetter(config.valid_metric),
    notes: missing ? ['multi_ratio=0.5: not given, so label and rating loss weigh the same'] : [],
  };
}
