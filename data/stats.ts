import type { DataOptions } from './options.js';
import type { Column, Dataset } from './schema.js';

/**
 * What RecBole prints about a data set, a line each: users and items count their [PAD], the averages only those that
 * have interactions.
 */
export function statistics(dataset: Dataset, options: Pick<DataOptions, 'LABEL_FIELD'>): string {
  const { name, inter, schema, vocabularies } = dataset;
  const users = vocabularies.get(schema.userField)?.length ?? 0;
  const items = vocabularies.get(schema.itemField)?.length ?? 0;
  const average = (field: string) => pythonFloat(inter.rows / distinctIds(inter.columns.get(field)));
  const fields = remainingFields(dataset, options).map((field) => `'${field}'`);
  return [
    name,
    `The number of users: ${users}`,
    `Average actions of users: ${average(schema.userField)}`,
    `The number of items: ${items}`,
    `Average actions of items: ${average(schema.itemField)}`,
    `The number of inters: ${inter.rows}`,
    `The sparsity of the dataset: ${pythonFloat((1 - inter.rows / users / items) * 100)}%`,
    `Remain Fields: [${fields.join(', ')}]`,
  ].join('\n');
}

/** The loaded fields in the order of their files; a label made by threshold comes last. */
function remainingFields(
  { inter, users, items, label }: Dataset,
  options: Pick<DataOptions, 'LABEL_FIELD'>,
): string[] {
  const fields = [inter, users, items].flatMap((table) => [...(table?.columns.keys() ?? [])]);
  const isMade = label !== null && !fields.includes(options.LABEL_FIELD);
  return isMade ? [...fields, options.LABEL_FIELD] : fields;
}

function distinctIds(column: Column | undefined): number {
  return column?.type === 'token' ? new Set(column.ids).size : 0;
}

function pythonFloat(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}
