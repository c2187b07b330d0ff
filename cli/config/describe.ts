import { plainText, type ConfigValue } from './literal.js';
import type { ModelOptions } from './models.js';
import { sections } from './sections.js';
import type { TrainConfig } from './train_config.js';

function valueOf(config: TrainConfig, name: string): ConfigValue {
  const values: Readonly<Record<string, unknown>> = { ...config.model_options, ...config.data, ...config };
  // Every name comes from the tables that the configuration was made from.
  return (values[name] ?? null) as ConfigValue;
}

/** The configuration in RecBole's manner: a title for each group, then `name = value`. */
export function describeConfig(config: TrainConfig, model: ModelOptions): string {
  const groups = sections(model).map(({ title, options }) => {
    const lines = Object.keys(options).map((name) => `${name} = ${plainText(valueOf(config, name))}`);
    return [`${title} Hyper Parameters:`, ...lines].join('\n');
  });
  return groups.join('\n\n');
}
