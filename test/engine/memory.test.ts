import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Tape, bytesOf, planMemory, type Dispatch, type Tensor } from '../../engine/index.js';
import { numbers } from '../support/numbers.js';

const memory = suite('planMemory');

const tape = new Tape({ training: true });
const make = (name: string, ...shape: number[]) => tape.activation(name, shape);
const using = (...tensors: Tensor[]): Dispatch => ({
  op: 'op',
  shader: 'none',
  entry: 'none',
  buffers: Object.fromEntries(tensors.map((t, i) => [`b${i}`, t])),
  dims: {},
  over: [1],
});

/** x₀ → x₁ → … by dispatches that read one and write the next. */
function chain(length: number, ...shape: number[]) {
  const tensors = Array.from({ length: length + 1 }, (_, i) => make(`x${i}`, ...shape));
  return { tensors, dispatches: tensors.slice(1).map((t, i) => using(tensors[i], t)) };
}

memory('a chain of any length takes two buffers: what is read and what is written', () => {
  const { dispatches, tensors } = chain(9, 5, 3);
  const { slots, slotOf, unsharedBytes } = planMemory(dispatches);
  assert.equal(slots, [64, 64]);
  assert.is(unsharedBytes, 10 * 64);
  tensors.slice(1).forEach((t, i) => assert.is.not(slotOf.get(t), slotOf.get(tensors[i])));
});

memory('tensors that are kept share with nothing, not even before they are written', () => {
  const { dispatches, tensors } = chain(9, 4);
  const kept = new Set([tensors[2], tensors[7]]);
  const { slots, slotOf } = planMemory(dispatches, kept);
  assert.is(slots.length, 4);
  for (const t of kept) {
    assert.is(tensors.filter((other) => slotOf.get(other) === slotOf.get(t)).length, 1);
  }
});

memory('a view lives in the memory of its owner and keeps it alive', () => {
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => make(name, 8));
  const view = tape.view(tape.view(a, [2, 4]), [4, 2]);
  const { slotOf } = planMemory([using(a, b), using(b, c), using(c, view), using(c, d)]);
  assert.is(slotOf.has(view), false);
  assert.is.not(slotOf.get(a), slotOf.get(b));
  assert.is.not(slotOf.get(a), slotOf.get(c));
  assert.is(slotOf.get(d), slotOf.get(a), 'free after the last use of the view');
});

memory('a small tensor takes a large buffer that is free, and never the other way round', () => {
  const [large, between, small] = [make('large', 100), make('between', 3), make('small', 2)];
  const { slots, slotOf } = planMemory([using(large, between), using(between, small)]);
  assert.equal(slots, [400, 16]);
  assert.is(slotOf.get(small), slotOf.get(large));
});

memory('only activations are placed', () => {
  const outside = [tape.input('x', [4]), tape.stepState(), tape.constant('c', [1], Float32Array.of(1))];
  const y = make('y', 4);
  const { slots, slotOf } = planMemory([using(...outside, y)]);
  assert.equal([...slotOf.keys()], [y]);
  assert.equal(slots, [16]);
});

memory('sizes are whole vec4s', () => {
  assert.equal(
    [1, 4, 5, 8].map((n) => bytesOf(make('t', n))),
    [16, 16, 32, 32],
  );
});

memory('no two tensors of one buffer are ever alive together, and each fits, for random programs', () => {
  const random = numbers(17);
  const below = (n: number) => Math.floor(Math.abs(random([1])[0]) * 1e6) % n;
  for (let program = 0; program < 40; program++) {
    const tensors = Array.from({ length: 25 }, (_, i) => make(`t${i}`, 1 + below(50)));
    const pick = () => tensors[below(tensors.length)];
    const dispatches = Array.from({ length: 40 }, () => using(...new Set([pick(), pick(), pick()])));
    const kept = new Set([pick(), pick()]);
    const { slots, slotOf } = planMemory(dispatches, kept);
    const life = (t: Tensor) => {
      const at = dispatches.flatMap(({ buffers }, i) => (Object.values(buffers).includes(t) ? [i] : []));
      return kept.has(t) ? [0, Infinity] : [at[0], at[at.length - 1]];
    };
    const placed = [...slotOf];
    for (const [t, slot] of placed) {
      assert.ok(slots[slot] >= bytesOf(t));
      for (const [other] of placed.filter(([u, otherSlot]) => u !== t && otherSlot === slot)) {
        const [[first, last], [otherFirst, otherLast]] = [life(t), life(other)];
        assert.ok(last < otherFirst || otherLast < first, `${t.name} and ${other.name} share slot ${slot}`);
      }
    }
    const used = new Set(dispatches.flatMap(({ buffers }) => Object.values(buffers)));
    assert.equal(new Set(slotOf.keys()), used);
  }
});

memory.run();
