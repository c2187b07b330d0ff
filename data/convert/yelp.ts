import type { KnownSet } from './known.js';
import { cellText, entryRows, type Entry } from './records.js';
import { ids, ratingColumns, shown } from './row.js';

/** A field that a record of Yelp always has; throws SyntaxError without it. */
function needed(entry: Entry, name: string): string {
  const text = cellText(entry[name]);
  if (text === '') throw new SyntaxError(`no ${name}`);
  return text;
}

const dateForm = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}:\d{2}))?$/;

/** Seconds since 1970 of "2016-03-09" or "2016-03-09 16:44:04", taken as UTC. Throws SyntaxError on other texts. */
export function seconds(date: string): string {
  const [, day, time = '00:00:00'] = dateForm.exec(date) ?? [];
  const milliseconds = Date.parse(`${day}T${time}Z`);
  if (Number.isNaN(milliseconds)) throw new SyntaxError(`date is ${shown(date)}, want 2016-03-09 16:44:04`);
  return String(milliseconds / 1000);
}

/** A list in older editions, one text in later ones; both become the text, which RecBole cuts at its blanks. */
const categories = (entry: Entry) => cellText(entry.categories, ', ');

/** The academic set of Yelp: JSON lines, one file each for businesses, users and reviews. */
export const yelp2018: KnownSet = {
  name: 'yelp2018',
  columns: {
    inter: ratingColumns,
    user: [ids('user_id'), { name: 'user_review_count', type: 'float' }],
    item: [
      ids('item_id'),
      { name: 'item_review_count', type: 'float' },
      { name: 'categories', type: 'token_seq' },
    ],
  },
  renamed: { business_id: 'item_id', stars: 'rating', date: 'timestamp', review_count: 'user_review_count' },
  original: {
    inter: {
      pattern: /^(yelp_academic_dataset_)?review\.json$/,
      name: 'yelp_academic_dataset_review.json',
      rows: (input) =>
        entryRows(input, (entry) => [
          needed(entry, 'user_id'),
          needed(entry, 'business_id'),
          needed(entry, 'stars'),
          seconds(needed(entry, 'date')),
        ]),
    },
    user: {
      pattern: /^(yelp_academic_dataset_)?user\.json$/,
      name: 'yelp_academic_dataset_user.json',
      rows: (input) => entryRows(input, (entry) => [needed(entry, 'user_id'), cellText(entry.review_count)]),
    },
    item: {
      pattern: /^(yelp_academic_dataset_)?business\.json$/,
      name: 'yelp_academic_dataset_business.json',
      rows: (input) =>
        entryRows(input, (entry) => [
          needed(entry, 'business_id'),
          cellText(entry.review_count),
          categories(entry),
        ]),
    },
  },
  sizes: [
    { by: 'RecBole and the paper', users: 1_518_169, items: 188_593, interactions: 5_996_996 },
    { by: 'RecSysDatasets', users: 1_326_101, items: 174_567, interactions: 5_261_669 },
  ],
  recbole: [{ url: 'https://recbole.s3-accelerate.amazonaws.com/ProcessedDatasets/Yelp/yelp2018.zip' }],
  publisher: [],
  home: 'https://www.yelp.com/dataset',
  licence:
    'Yelp gives its data set to those who accept its Dataset User Agreement: academic use only, no redistribution; ' +
    'the edition of 2018 is the first version at https://www.kaggle.com/datasets/yelp-dataset/yelp-dataset.',
};
