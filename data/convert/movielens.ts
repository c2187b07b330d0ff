import { delimitedRows } from './delimited.js';
import type { KnownSet, OriginalTable } from './known.js';
import {
  ids,
  mapRows,
  ratingColumns,
  shown,
  type Input,
  type OutputColumn,
  type Row,
  type Rows,
} from './row.js';

const people: readonly OutputColumn[] = [
  ids('user_id'),
  { name: 'age', type: 'token' },
  { name: 'gender', type: 'token' },
  { name: 'occupation', type: 'token' },
  { name: 'zip_code', type: 'token', optional: true },
];

/** Films; the field of genres has another name in each set. */
const films = (genres: string): readonly OutputColumn[] => [
  ids('item_id'),
  { name: 'movie_title', type: 'token_seq', optional: true },
  { name: 'release_year', type: 'token' },
  { name: genres, type: 'token_seq' },
];

/** Rows of a table without header, each of `width` cells; others are rejected. */
function cellsOf(
  input: Input,
  delimiter: string,
  width: number,
  map: (row: Row) => readonly string[] | null,
): Rows {
  const rows = delimitedRows(input, { delimiter, quotes: false, encoding: 'latin1' });
  return mapRows(rows, (row) => {
    const have = row.cells.length;
    if (have === width) return map(row);
    return refused(input, row.line, `${have} cells, want ${width} with "${delimiter}" between them`);
  });
}

function refused({ reject }: Input, line: number, message: string): null {
  reject(line, message);
  return null;
}

const trailingYear = /^(.*?)\s*\((\d{4})\)\s*$/s;

/** Title and year of "Toy Story (1995)"; '' for the year of a title that ends without one. */
export function titleAndYear(text: string): readonly [title: string, year: string] {
  const [, title = text, year = ''] = trailingYear.exec(text) ?? [];
  return [title.trim(), year];
}

const genreNames = (
  "unknown Action Adventure Animation Children's Comedy Crime Documentary Drama Fantasy Film-Noir Horror " +
  'Musical Mystery Romance Sci-Fi Thriller War Western'
).split(' ');

function table(pattern: RegExp, name: string, rows: (input: Input) => Rows): OriginalTable {
  return { pattern, name, rows };
}

const licence =
  'MovieLens may be used for research, not redistributed without permission, and is to be cited: F. M. Harper and ' +
  'J. A. Konstan, The MovieLens Datasets, ACM TiiS 5(4), 2015; the README of the original has the terms.';
const recbole = 'https://recbole.s3-accelerate.amazonaws.com/ProcessedDatasets/MovieLens';
const grouplens = 'https://files.grouplens.org/datasets/movielens';

/** MovieLens 1M: cells between "::", text in Latin 1. */
export const ml1m: KnownSet = {
  name: 'ml-1m',
  columns: { inter: ratingColumns, user: people, item: films('genre') },
  renamed: {},
  original: {
    inter: table(/^ratings\.dat$/, 'ratings.dat', (input) => cellsOf(input, '::', 4, ({ cells }) => cells)),
    user: table(/^users\.dat$/, 'users.dat', (input) =>
      cellsOf(input, '::', 5, ({ cells: [user, gender, age, occupation, zip] }) => [
        user,
        age,
        gender,
        occupation,
        zip,
      ]),
    ),
    item: table(/^movies\.dat$/, 'movies.dat', (input) =>
      cellsOf(input, '::', 3, ({ cells: [item, title, genres] }) => [
        item,
        ...titleAndYear(title),
        genres.replaceAll('|', ' '),
      ]),
    ),
  },
  sizes: [{ by: 'GroupLens', users: 6040, items: 3706, interactions: 1_000_209 }],
  recbole: [{ url: `${recbole}/ml-1m.zip` }],
  publisher: [
    {
      url: `${grouplens}/ml-1m.zip`,
      sha256: 'a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20',
    },
  ],
  home: 'https://grouplens.org/datasets/movielens/1m/',
  licence,
};

/** MovieLens 100K: u.data between tabs, u.user and u.item between bars, a column of 0 or 1 for each genre. */
export const ml100k: KnownSet = {
  name: 'ml-100k',
  columns: { inter: ratingColumns, user: people, item: films('class') },
  renamed: {},
  original: {
    inter: table(/^u\.data$/, 'u.data', (input) => cellsOf(input, '\t', 4, ({ cells }) => cells)),
    user: table(/^u\.user$/, 'u.user', (input) => cellsOf(input, '|', 5, ({ cells }) => cells)),
    item: table(/^u\.item$/, 'u.item', (input) =>
      cellsOf(input, '|', 5 + genreNames.length, ({ line, cells: [item, title, , , , ...flags] }) => {
        const wrong = flags.find((flag) => flag !== '0' && flag !== '1');
        if (wrong !== undefined) return refused(input, line, `a genre is ${shown(wrong)}, want 0 or 1`);
        const genres = genreNames.filter((_, i) => flags[i] === '1');
        return [item, ...titleAndYear(title), genres.join(' ')];
      }),
    ),
  },
  sizes: [{ by: 'GroupLens', users: 943, items: 1682, interactions: 100_000 }],
  recbole: [{ url: `${recbole}/ml-100k.zip` }],
  publisher: [{ url: `${grouplens}/ml-100k.zip` }],
  home: 'https://grouplens.org/datasets/movielens/100k/',
  licence,
};
