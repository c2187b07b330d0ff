/** Invented data in the forms in which the paper's data sets are published: every one of 20 users rates each of 20 items. */

export type InventedSet = 'ml-1m' | 'yelp2018' | 'amazon-books';
export type InventedFiles = Readonly<Record<string, string | Buffer>>;

const people = Array.from({ length: 20 }, (_, i) => i + 1);
const pairs = people.flatMap((user) =>
  people.map((item) => ({ user, item, rating: 1 + ((user * 7 + item * 3) % 5) })),
);
const text = (rows: readonly string[]) => `${rows.join('\n')}\n`;
const time = (user: number, item: number) => 1_300_000_000 + 1000 * user + item;

/** As its publisher gives it. */
export const originals: Readonly<Record<InventedSet, InventedFiles>> = {
  'ml-1m': {
    'ml-1m/README': 'not data',
    'ml-1m/ratings.dat': text(
      pairs.map(({ user, item, rating }) => [user, item, rating, time(user, item)].join('::')),
    ),
    'ml-1m/users.dat': text(
      people.map((user) => [user, user % 2 ? 'F' : 'M', 18 + user, user % 4, '00000'].join('::')),
    ),
    'ml-1m/movies.dat': Buffer.from(
      text(
        people.map(
          (item) => `${item}::Caf\xe9 ${item} (${1980 + item})::${item % 2 ? 'Drama|War' : "Children's"}`,
        ),
      ),
      'latin1',
    ),
  },
  yelp2018: {
    'yelp_academic_dataset_review.json': text(
      pairs.map(({ user, item, rating }) =>
        JSON.stringify({
          review_id: `r${user}-${item}`,
          user_id: `u${user}`,
          business_id: `b${item}`,
          stars: rating,
          text: 'good,\n"bad"\tand so on',
          date: new Date(1000 * time(user, item)).toISOString().slice(0, 19).replace('T', ' '),
        }),
      ),
    ),
    'yelp_academic_dataset_user.json': text(
      people.map((user) =>
        JSON.stringify({ user_id: `u${user}`, name: 'Ann', review_count: 3 * user, elite: 'None' }),
      ),
    ),
    'yelp_academic_dataset_business.json': text(
      people.map((item) =>
        JSON.stringify({
          business_id: `b${item}`,
          review_count: 5 * item,
          // A text in the edition of 2018, a list before, nothing for some.
          categories: item === 1 ? null : item % 2 ? 'Food, Coffee & Tea' : ['Bars', 'Ice Cream'],
        }),
      ),
    ),
  },
  'amazon-books': {
    'ratings_Books.csv': text(
      pairs.map(({ user, item, rating }) => `A${user},B${item},${rating}.0,${time(user, item)}`),
    ),
    'meta_Books.json': text(
      people.map((item) => {
        if (item === 1) return "{'asin': 'B1', 'categories': [['Books']]}";
        const plain = {
          asin: `B${item}`,
          price: 1.5 * item,
          brand: `Press ${item % 3}`,
          salesRank: { Books: 100 * item },
        };
        if (item === 2) return JSON.stringify({ ...plain, categories: [['Books', "Children's"]] });
        return (
          `{'asin': 'B${item}', 'description': 'It\\'s\\n"a" book', 'price': ${1.5 * item}, 'related': {'also': ['B1']}, ` +
          `'salesRank': {'Books': ${100 * item}}, 'categories': [['Books', "Children's"], ['Books', 'Art']], ` +
          `'brand': 'Press ${item % 3}'}`
        );
      }),
    ),
  },
};

const tsv = (rows: readonly (readonly (string | number)[])[]) => text(rows.map((row) => row.join('\t')));

/** As RecBole's archive has it. */
export const archives: Readonly<Record<InventedSet, InventedFiles>> = {
  'ml-1m': {
    'ml-1m/ml-1m.inter': tsv([
      ['user_id:token', 'item_id:token', 'rating:float', 'timestamp:float'],
      ...pairs.map(({ user, item, rating }) => [user, item, rating, time(user, item)]),
    ]),
    'ml-1m/ml-1m.user': tsv([
      ['user_id:token', 'age:token', 'gender:token', 'occupation:token', 'zip_code:token'],
      ...people.map((user) => [user, 18 + user, user % 2 ? 'F' : 'M', user % 4, '00000']),
    ]),
    'ml-1m/ml-1m.item': tsv([
      ['item_id:token', 'movie_title:token_seq', 'release_year:token', 'genre:token_seq'],
      ...people.map((item) => [item, `Café ${item}`, 1980 + item, item % 2 ? 'Drama War' : "Children's"]),
    ]),
  },
  yelp2018: {
    'yelp2018.inter': tsv([
      ['review_id:token', 'user_id:token', 'business_id:token', 'stars:float', 'useful:float', 'date:float'],
      ...pairs.map(({ user, item, rating }) => ['r', `u${user}`, `b${item}`, rating, 0, time(user, item)]),
    ]),
    'yelp2018.user': tsv([
      ['user_id:token', 'user_name:token', 'user_review_count:float'],
      ...people.map((user) => [`u${user}`, 'Ann', 3 * user]),
    ]),
    'yelp2018.item': tsv([
      ['business_id:token', 'item_name:token_seq', 'item_review_count:float', 'categories:token_seq'],
      ...people.map((item) => {
        const categories = item === 1 ? '' : item % 2 ? 'Food, Coffee & Tea' : 'Bars, Ice Cream';
        return [`b${item}`, '"Joe"" s" place', 5 * item, categories];
      }),
    ]),
  },
  'amazon-books': {
    'Amazon_Books.inter': tsv([
      ['user_id:token', 'item_id:token', 'rating:float', 'timestamp:float'],
      ...pairs.map(({ user, item, rating }) => [`A${user}`, `B${item}`, `${rating}.0`, time(user, item)]),
    ]),
    'Amazon_Books.item': tsv([
      'item_id:token sales_type:token sales_rank:float categories:token_seq title:token price:float brand:token'.split(
        ' ',
      ),
      ...people.map((item) => {
        if (item === 1) return ['B1', '', '', "'Books'", '"two\nlines"', '', ''];
        // pandas puts quotes around a cell that has some.
        const categories = `"'Books', ""Children's""${item === 2 ? '' : ", 'Art'"}"`;
        return [`B${item}`, 'Books', 100 * item, categories, 'title', 1.5 * item, `Press ${item % 3}`];
      }),
    ]),
  },
};
