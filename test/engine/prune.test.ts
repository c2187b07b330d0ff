import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Tape, reshape, type Dispatch, type Tensor } from '../../engine/index.js';
import { prune } from '../../engine/prune.js';

const tape = new Tape({ training: true });
const made = (name: string) => tape.activation(name, [4]);
const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(made);
const x = tape.input('x', [4]);
const using = (entry: string, buffers: readonly Tensor[], results?: readonly Tensor[]): Dispatch => ({
  op: 'test',
  shader: 'none',
  entry,
  buffers: Object.fromEntries(buffers.map((t, i) => [`t${i}`, t])),
  dims: {},
  over: [1],
  results,
});
const left = (dispatches: readonly Dispatch[], kept: readonly Tensor[] = []) =>
  prune(dispatches, new Set(kept))
    .map(({ entry }) => entry)
    .join('');

const pruneSuite = suite('prune');

pruneSuite('leaves out what nothing reads, and what only that needed', () => {
  const chain = [using('1', [x, a], [a]), using('2', [a, b], [b]), using('3', [a, c], [c])];
  assert.is(left([...chain, using('4', [c])]), '134');
  assert.is(left(chain), '');
  assert.is(left(chain, [b]), '12');
});

pruneSuite('keeps dispatches that do not say what they are for', () => {
  assert.is(left([using('1', [x, a], [a]), using('2', [a, b])]), '12');
});

pruneSuite('keeps all dispatches for a result that is read, and all results of one of which one is', () => {
  const parts = [using('1', [x, d], [a]), using('2', [d, a], [a])];
  assert.is(left([...parts, using('3', [a])]), '123');
  assert.is(left([using('1', [x, a, b], [a, b]), using('2', [b])]), '12');
});

pruneSuite('knows a tensor by its views, and that what outlives the plan is read', () => {
  assert.is(left([using('1', [x, a], [a]), using('2', [reshape(a, [2, 2])])]), '12');
  assert.is(left([using('1', [a, x], [x])]), '1');
});

pruneSuite.run();
