import { DataError } from '../errors.js';
import type { ColumnSpec } from './columns.js';
import type { Like, SyntheticSpec } from './spec.js';

/** The names that `like` takes. */
export const likes: readonly Like[] = ['ml-100k', 'ml-1m', 'yelp2018', 'amazon-books'];

export interface SyntheticOptions {
  readonly name?: string;
  readonly like?: Like;
  /** Shrinks users, items and interactions alike, users and items less where the set is dense; 1 = as published. */
  readonly scale?: number;
  readonly users?: number;
  readonly items?: number;
  readonly interactions?: number;
  readonly seed?: number;
}

const genres = [
  'Drama',
  'Comedy',
  'Action',
  'Thriller',
  'Romance',
  'Adventure',
  'Crime',
  'Family',
  'Horror',
  'Mystery',
  'War',
  'Musical',
  'Animation',
  'Western',
  'History',
  'Sport',
  'Travel',
  'Nature',
];
const occupations = [
  'student',
  'teacher',
  'engineer',
  'clerk',
  'nurse',
  'writer',
  'farmer',
  'painter',
  'driver',
  'lawyer',
  'cook',
  'doctor',
  'baker',
  'librarian',
  'retired',
  'sailor',
  'musician',
  'gardener',
  'salesman',
  'scientist',
  'none',
];

const age: ColumnSpec = {
  name: 'age',
  cells: { kind: 'number', low: 7, high: 73 },
  weight: 0.12,
  taste: 0.15,
};
const gender: ColumnSpec = {
  name: 'gender',
  cells: { kind: 'category', values: ['M', 'F'], skew: 1 },
  weight: 0.08,
  taste: 0.2,
};
const occupation: ColumnSpec = {
  name: 'occupation',
  cells: { kind: 'category', values: occupations, skew: 0.8 },
  weight: 0.12,
  taste: 0.15,
};
const zipCode: ColumnSpec = { name: 'zip_code', cells: { kind: 'code' }, weight: 0, taste: 0 };
const releaseYear: ColumnSpec = {
  name: 'release_year',
  cells: { kind: 'number', low: 1922, high: 1998 },
  weight: 0.2,
  taste: 0.15,
};
const genre: ColumnSpec = {
  name: 'genre',
  cells: { kind: 'tags', values: genres, skew: 0.9, most: 4 },
  weight: 0.2,
  taste: 0.35,
};
const title: ColumnSpec = {
  name: 'movie_title',
  cells: { kind: 'tags', values: { count: 2000, prefix: 'Word' }, skew: 0.8, most: 5 },
  weight: 0,
  taste: 0,
};

const movies = {
  fewest: 20,
  activitySpread: 1.1,
  popularity: { exponent: 1.5, shift: 0.06 },
  ratings: [0.06, 0.11, 0.27, 0.34, 0.22],
  daypart: false,
  core: 10,
  own: { user: { weight: 0.45, taste: 0.35 }, item: { weight: 0.5, taste: 0.35 } },
} as const;

const presets: Readonly<Record<Like | 'sample', Omit<SyntheticSpec, 'seed' | 'like'>>> = {
  sample: {
    ...movies,
    name: 'sample',
    users: 1500,
    items: 1000,
    interactions: 100_000,
    daypart: true,
    core: 5,
    user: [
      age,
      gender,
      occupation,
      { name: 'activity', cells: { kind: 'standing', unit: 'score' }, weight: -0.15, taste: 0.1 },
    ],
    item: [
      releaseYear,
      genre,
      { name: 'popularity', cells: { kind: 'standing', unit: 'score' }, weight: 0.2, taste: 0.1 },
    ],
  },
  'ml-100k': {
    ...movies,
    name: 'ml-100k',
    users: 943,
    items: 1682,
    interactions: 100_000,
    user: [age, gender, occupation, zipCode],
    item: [title, releaseYear, { ...genre, name: 'class' }],
  },
  'ml-1m': {
    ...movies,
    name: 'ml-1m',
    users: 6040,
    items: 3706,
    interactions: 1_000_209,
    user: [age, gender, occupation, zipCode],
    item: [title, releaseYear, genre],
  },
  yelp2018: {
    name: 'yelp2018',
    users: 1_518_169,
    items: 188_593,
    interactions: 5_996_996,
    fewest: 1,
    activitySpread: 2,
    popularity: { exponent: 1.2, shift: 0.002 },
    ratings: [0.14, 0.08, 0.12, 0.23, 0.43],
    daypart: false,
    core: 10,
    own: { user: { weight: 0.5, taste: 0.35 }, item: { weight: 0.5, taste: 0.35 } },
    user: [
      { name: 'user_review_count', cells: { kind: 'standing', unit: 'count' }, weight: -0.1, taste: 0.1 },
    ],
    item: [
      { name: 'item_review_count', cells: { kind: 'standing', unit: 'count' }, weight: 0.15, taste: 0.1 },
      {
        name: 'categories',
        cells: { kind: 'tags', values: { count: 1300, prefix: 'category' }, skew: 1, most: 7 },
        weight: 0.3,
        taste: 0.35,
      },
    ],
  },
  'amazon-books': {
    name: 'amazon-books',
    users: 8_026_324,
    items: 2_330_066,
    interactions: 22_507_155,
    fewest: 1,
    activitySpread: 2,
    popularity: { exponent: 1.1, shift: 0.0005 },
    ratings: [0.05, 0.05, 0.1, 0.22, 0.58],
    daypart: false,
    core: 15,
    own: { user: { weight: 0.5, taste: 0.35 }, item: { weight: 0.5, taste: 0.35 } },
    user: [],
    item: [
      {
        name: 'sales_type',
        cells: { kind: 'category', values: ['Books', 'Toys', 'Music', 'Office', 'Kitchen'], skew: 3 },
        weight: 0.1,
        taste: 0.1,
        missing: 0.2,
      },
      {
        name: 'sales_rank',
        cells: { kind: 'amount', middle: 900_000, decimals: 0 },
        weight: -0.1,
        taste: 0.1,
        missing: 0.2,
      },
      {
        name: 'categories',
        cells: { kind: 'tags', values: { count: 4000, prefix: 'category' }, skew: 1, most: 5 },
        weight: 0.3,
        taste: 0.35,
      },
      {
        name: 'price',
        cells: { kind: 'amount', middle: 13, decimals: 2 },
        weight: -0.1,
        taste: 0.1,
        missing: 0.25,
      },
      {
        name: 'brand',
        cells: { kind: 'category', values: { count: 20_000, prefix: 'brand' }, skew: 0.9 },
        weight: 0.2,
        taste: 0.2,
        missing: 0.7,
      },
    ],
  },
};

/**
 * The sample set, or the one it is to be like, with what `options` change. Throws DataError on sizes that make no
 * set: below 1, or more interactions than there are (user, item) pairs.
 */
export function syntheticSpec(options: SyntheticOptions = {}): SyntheticSpec {
  const like = options.like ?? 'sample';
  const preset = presets[like];
  const scale = options.scale ?? 1;
  if (!(scale > 0))
    throw new DataError(`synth: scale is ${scale}, want a number above 0; 1 is the published size`);
  const interactions = options.interactions ?? shrink(preset.interactions, scale);
  // Users × items shrinks with the square of the scale: a dense set would run out of pairs.
  const side = Math.max(scale, Math.sqrt(interactions / (MOST_DENSE * preset.users * preset.items)));
  const spec: SyntheticSpec = {
    ...preset,
    like,
    name: options.name ?? preset.name,
    seed: options.seed ?? 2020,
    users: options.users ?? shrink(preset.users, Math.min(side, Math.max(1, scale))),
    items: options.items ?? shrink(preset.items, Math.min(side, Math.max(1, scale))),
    interactions,
  };
  checkName(spec.name);
  checkSizes(spec);
  return spec;
}

/** Share of all pairs above which shrinking spares users and items. */
const MOST_DENSE = 0.15;

const shrink = (count: number, scale: number): number => Math.max(1, Math.round(count * scale));

/** The name becomes a directory and the stem of its files. */
function checkName(name: string): void {
  if (/^[\p{L}\p{N}_][\p{L}\p{N}_.+-]*$/u.test(name)) return;
  throw new DataError(`synth: "${name}" names no data set; give letters, digits and _ . + - without a path`);
}

function checkSizes({ users, items, interactions }: SyntheticSpec): void {
  for (const [what, count] of Object.entries({ users, items, interactions })) {
    if (Number.isSafeInteger(count) && count >= 1 && count < 2 ** 31) continue;
    throw new DataError(
      `synth: ${what} is ${count}, want a whole number from 1 to 2147483647; mend --${what}`,
    );
  }
  if (interactions > users * items) {
    throw new DataError(
      `synth: ${interactions} interactions do not fit ${users} users × ${items} items, a pair occurs once; ask for ` +
        `${users * items} at most`,
    );
  }
}
