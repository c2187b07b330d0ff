const DIGIT_BITS = 16;
const DIGITS = 4;

/**
 * The rows in ascending order of `values[row]`: equal values keep their order, NaN comes last. A radix sort over the
 * bits of the numbers, four passes at most, because millions of timestamps are too many for a comparator.
 */
export function sortedRows(rows: Uint32Array, values: Float32Array | Float64Array): Uint32Array {
  const keys = sortKeys(rows, values);
  let order = Uint32Array.from(rows, (_, position) => position);
  for (let digit = 0; digit < DIGITS; digit++) order = sortedByDigit(order, keys, digit);
  return order.map((position) => rows[position]);
}

/** Doubles as unsigned integers of the same order, four 16-bit digits each, least significant first. */
function sortKeys(rows: Uint32Array, values: Float32Array | Float64Array): Uint16Array {
  const doubles = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) doubles[i] = values[rows[i]] + 0; // + 0 turns -0 into 0
  const words = new Uint32Array(doubles.buffer);
  for (let high = 1; high < words.length; high += 2) {
    const isNegative = words[high] >>> 31 === 1;
    if (isNegative) words[high - 1] = ~words[high - 1];
    words[high] = isNegative ? ~words[high] : words[high] | 0x80000000;
  }
  return new Uint16Array(doubles.buffer);
}

function sortedByDigit(order: Uint32Array, keys: Uint16Array, digit: number): Uint32Array<ArrayBuffer> {
  const starts = new Uint32Array((1 << DIGIT_BITS) + 1);
  for (let i = digit; i < keys.length; i += DIGITS) starts[keys[i] + 1]++;
  const isConstant = order.length > 0 && starts[keys[digit] + 1] === order.length;
  const sorted = new Uint32Array(order);
  if (isConstant) return sorted;
  for (let i = 1; i < starts.length; i++) starts[i] += starts[i - 1];
  for (const position of order) sorted[starts[keys[position * DIGITS + digit]]++] = position;
  return sorted;
}
