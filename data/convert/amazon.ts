import { delimitedRows } from './delimited.js';
import type { KnownSet } from './known.js';
import { isObject, type Json } from './python.js';
import { cellText, entryRows, type Entry } from './records.js';
import { ids, mapRows, ratingColumns } from './row.js';

/** The first list of `salesRank`, and the rank in it; most books have one, some none. */
function sales({ salesRank }: Entry): readonly [type: string, rank: string] {
  if (!isObject(salesRank)) return ['', ''];
  const [[type, rank] = ['', '']] = Object.entries(salesRank);
  return [type, cellText(rank)];
}

/** A text as Python prints it in a list. */
function quoted(text: string): string {
  return text.includes("'") && !text.includes('"') ? `"${text}"` : `'${text.replaceAll("'", "\\'")}'`;
}

/**
 * Each category once, in order, printed as RecBole's archive has them: 'Books', 'Arts & Photography'. It is cut at its
 * blanks into the tokens that the paper learns. RecBole prints a Python set, whose order is by chance.
 */
export function categoryText(value: Json | undefined): string {
  const names = new Set<string>();
  const walk = (one: Json | undefined): void => {
    if (Array.isArray(one)) one.forEach(walk);
    else if (cellText(one) !== '') names.add(cellText(one));
  };
  walk(value);
  return [...names].map(quoted).join(', ');
}

function itemCells(entry: Entry): readonly string[] {
  const item = cellText(entry.asin);
  if (item === '') throw new SyntaxError('no asin');
  return [
    item,
    ...sales(entry),
    categoryText(entry.categories),
    cellText(entry.price),
    cellText(entry.brand),
  ];
}

const amazon = 'https://snap.stanford.edu/data/amazon/productGraph/categoryFiles';

/** Books of the Amazon reviews of 2014: ratings without header, metadata in Python's form. */
export const amazonBooks: KnownSet = {
  name: 'amazon-books',
  columns: {
    inter: ratingColumns,
    item: [
      ids('item_id'),
      { name: 'sales_type', type: 'token' },
      { name: 'sales_rank', type: 'float' },
      { name: 'categories', type: 'token_seq' },
      { name: 'price', type: 'float' },
      { name: 'brand', type: 'token' },
    ],
  },
  renamed: {},
  original: {
    inter: {
      pattern: /^ratings_Books\.csv$/,
      name: 'ratings_Books.csv',
      rows: (input) =>
        mapRows(delimitedRows(input, { delimiter: ',', quotes: true }), ({ line, cells }) => {
          if (cells.length === 4) return cells;
          input.reject(line, `${cells.length} cells, want 4: user, item, rating and time`);
          return null;
        }),
    },
    item: {
      pattern: /^meta_Books\.json$/,
      name: 'meta_Books.json',
      rows: (input) => entryRows(input, itemCells),
    },
  },
  sizes: [{ by: 'RecBole', users: 8_026_324, items: 2_330_066, interactions: 22_507_155 }],
  recbole: [
    { url: 'https://recbole.s3-accelerate.amazonaws.com/ProcessedDatasets/Amazon_ratings/Amazon_Books.zip' },
  ],
  publisher: [{ url: `${amazon}/ratings_Books.csv` }, { url: `${amazon}/meta_Books.json.gz` }],
  home: 'https://cseweb.ucsd.edu/~jmcauley/datasets/amazon/links.html',
  licence:
    'The Amazon reviews of 2014 are for research and to be cited: R. He and J. McAuley, Ups and Downs, WWW 2016; ' +
    'J. McAuley, C. Targett, J. Shi and A. van den Hengel, SIGIR 2015; metadata may be had from their author only.',
};
