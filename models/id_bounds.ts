import { joinedIds, type Features, type JoinPart, type JoinedIds } from './features.js';

/** Ids of a column lie in [low, high). */
type Bounds = readonly [low: number, high: number];

function outside(where: string, id: number, row: number, [low, high]: Bounds): RangeError {
  return new RangeError(
    `${where}: id ${id} of row ${row} is outside ${low} … ${high - 1}; the data set does not fit its schema`,
  );
}

/** Throws RangeError for a word of a column that is outside its bounds. */
function checkColumn(
  where: string,
  words: Uint32Array,
  stride: number,
  column: number,
  bounds: Bounds,
): void {
  const [low, high] = bounds;
  const span = high - low;
  for (let at = column, row = 0; at < words.length; at += stride, row++) {
    if ((words[at] - low) >>> 0 >= span) throw outside(where, words[at], row, bounds);
  }
}

/** Where the ids of each column of `name` lie. */
function boundsOf({ schema }: Features, { name }: JoinedIds): (column: number) => Bounds {
  const fieldsOf = { tokens: schema.token, floats: schema.float }[name];
  if (fieldsOf === undefined) {
    const { cardinality } = schema.tokenSeq[Number(name.slice('sequence.'.length))];
    return () => [0, cardinality];
  }
  return (column) => {
    const { offset, cardinality } = fieldsOf[column];
    return [offset, offset + cardinality];
  };
}

/** Throws RangeError for a row that names a user or an item that is not there, or for an id outside its field's. */
export function checkIds(features: Features): void {
  const { rows, layout } = features;
  const keys = { [layout.user]: features.users, [layout.item]: features.items };
  for (const joined of joinedIds(features)) {
    const bounds = boundsOf(features, joined);
    const check = ({ words, table, key, stride, from, to, columns }: JoinPart) => {
      const where = `feed: ${table ?? joined.name}`;
      if (words !== undefined) checkColumn(`${where} by key`, rows, layout.width, key, [0, keys[key]]);
      for (let j = 0; j < columns; j++) {
        const [own, width] = words === undefined ? [rows, layout.width] : [words, stride];
        checkColumn(where, own, width, from + j, bounds(to + j));
      }
    };
    joined.parts.forEach(check);
  }
}
