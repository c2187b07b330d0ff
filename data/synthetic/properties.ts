import type { ColumnSpec } from './columns.js';
import type { SyntheticSpec } from './spec.js';

/** The settings of a set in the form of data/properties: what the paper loads, and its label, filters and floats. */
export function propertyText(spec: SyntheticSpec): string {
  const list = (names: readonly string[]) => `[${names.join(', ')}]`;
  // Columns that do not act on the rating are there to be left out.
  const used = (columns: readonly ColumnSpec[]) =>
    columns.filter(({ weight, taste }) => weight !== 0 || taste !== 0);
  const loaded = (id: string, columns: readonly ColumnSpec[]) =>
    list([id, ...used(columns).map(({ name }) => name)]);
  const floats = [...spec.user, ...spec.item].filter(
    ({ cells }) => cells.kind === 'standing' || cells.kind === 'amount',
  );
  const floatNames = list(floats.map(({ name }) => name));
  return [
    `# Settings of ${spec.like}, for synthetic data of its form.`,
    'load_col:',
    `  inter: ${list(['user_id', 'item_id', 'rating', ...(spec.daypart ? ['timestamp', 'daypart'] : [])])}`,
    ...(spec.user.length > 0 ? [`  user: ${loaded('user_id', spec.user)}`] : []),
    `  item: ${loaded('item_id', spec.item)}`,
    'threshold: {rating: 4}',
    'train_batch_size: 4096',
    ...(floats.length > 0 ? [`numerical_features: ${floatNames}`, `normalize_field: ${floatNames}`] : []),
    ...(spec.core > 0
      ? ['user', 'item'].map((who) => `${who}_inter_num_interval: "[${spec.core},inf)"`)
      : []),
    '',
  ].join('\n');
}
