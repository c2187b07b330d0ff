import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { grown, hashByte, hashSeed, Interner, missingWords } from '../../data/interner.js';

const interning = suite('Interner');
const bytesOf = (text: string) => new TextEncoder().encode(text);

function intern(interner: Interner, text: string): number {
  const bytes = bytesOf(`..${text}..`);
  return interner.intern(bytes, 2, bytes.length - 2);
}

interning('numbers texts in the order they come, after the words for missing cells', () => {
  const interner = new Interner();
  const ids = ['b', 'a', 'b', 'ab', ''].map((text) => intern(interner, text) - Interner.missing);
  assert.equal(ids, [1, 2, 1, 3, 4]);
  assert.is(interner.size, Interner.missing + 4);
  assert.equal(missingWords.map((word) => intern(interner, word) <= Interner.missing).includes(false), false);
});

interning('gives texts back in any order, and more than fit one decoding', () => {
  const interner = new Interner();
  const texts = Array.from({ length: 180_000 }, (_, i) => `${i} ${'é'.repeat(50)}`);
  const ids = Uint32Array.from(texts, (text) => intern(interner, text)).reverse();
  assert.equal(interner.texts(ids), texts.reverse());
  assert.equal(interner.texts(new Uint32Array(0)), []);
});

interning('tells apart texts of the same hash', () => {
  const interner = new Interner();
  const [one, two] = [bytesOf('one'), bytesOf('two')];
  const first = interner.internHashed(7, one, 0, 3);
  const second = interner.internHashed(7, two, 0, 3);
  assert.is.not(first, second);
  assert.is(interner.internHashed(7, one, 0, 3), first);
});

interning('takes a hash that was built byte by byte', () => {
  const interner = new Interner();
  const bytes = bytesOf('token');
  const hash = bytes.reduce(hashByte, hashSeed);
  assert.is(interner.internHashed(hash, bytes, 0, 5), intern(interner, 'token'));
});

interning('knows the ids of numbers that it was told, but of no large ones', () => {
  const interner = new Interner();
  const ids = ['0', '7', '5000', '999999', '1000000'].map((text) => {
    assert.is(interner.numbers[Number(text)] ?? 0, 0);
    const id = intern(interner, text);
    interner.know(Number(text), id);
    return id;
  });
  assert.equal(
    [0, 7, 5000, 999999, 1000000, 6].map((number) => interner.numbers[number] ?? 0),
    [...ids.slice(0, 4), 0, 0],
  );
});

interning.run();

const growing = suite('grown');

growing('keeps what is large enough, and else at least doubles', () => {
  const array = Uint32Array.of(1, 2, 3, 4);
  assert.is(grown(array, 4), array);
  assert.equal([...grown(array, 5)], [1, 2, 3, 4, 0, 0, 0, 0]);
  assert.is(grown(array, 100).length, 100);
  assert.instance(grown(new Float64Array(1), 2), Float64Array);
});

growing.run();
