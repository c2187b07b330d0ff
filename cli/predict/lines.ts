import type { Schema } from '../../data/schema.js';
import type { Scores } from '../runner.js';

/** Exact: a number of 9 significant digits reads back as the same f32. */
const digits = 9;

const number = (value: number): string => value.toPrecision(digits);

/** Header of scored rows: ids, score, and with K > 1 classes the rating distribution and its mean. */
export function scoreHeader({ userField, itemField }: Schema, classes: number, separator: string): string {
  const ratings = Array.from({ length: classes }, (_, k) => `p_${k + 1}:float`);
  const columns = [`${userField}:token`, `${itemField}:token`, 'score:float'];
  if (classes > 1) columns.push(...ratings, 'expected_rating:float');
  return `${columns.join(separator)}\n`;
}

/** A line for each row, in their order: ids as they came in. */
export function scoreLines(
  users: readonly string[],
  items: readonly string[],
  { score, ratings }: Scores,
  separator: string,
): string {
  const classes = ratings === undefined ? 0 : ratings.length / score.length;
  const lines = users.map((user, row) => {
    let line = `${user}${separator}${items[row]}${separator}${number(score[row])}`;
    if (ratings === undefined) return `${line}\n`;
    let expected = 0;
    for (let k = 0; k < classes; k++) {
      const probability = ratings[row * classes + k];
      expected += (k + 1) * probability;
      line += separator + number(probability);
    }
    return `${line}${separator}${number(expected)}\n`;
  });
  return lines.join('');
}

/** Header of recommendations. */
export function recommendationHeader({ userField, itemField }: Schema, separator: string): string {
  return `${[`${userField}:token`, `${itemField}:token`, 'rank:float', 'score:float'].join(separator)}\n`;
}

/** A line for each of a user's items, the best first. */
export function recommendationLines(
  user: string,
  items: readonly { readonly item: string; readonly score: number }[],
  separator: string,
): string {
  const line = ({ item, score }: { readonly item: string; readonly score: number }, i: number) =>
    `${[user, item, i + 1, number(score)].join(separator)}\n`;
  return items.map(line).join('');
}
