import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Mt19937 } from '../../data/mt19937.js';

const generator = suite('Mt19937');

generator('draws the published numbers for seed 5489', () => {
  const rng = new Mt19937(5489);
  assert.equal([rng.next(), rng.next(), rng.next()], [3499211612, 581869302, 3890346734]);
  for (let i = 3; i < 9999; i++) rng.next();
  assert.is(rng.next(), 4123659995, 'the 10,000th');
});

generator('goes on from an exported state, in the middle of a block and at its end', () => {
  for (const draws of [0, 1, 623, 624, 1000]) {
    const rng = new Mt19937(7);
    for (let i = 0; i < draws; i++) rng.next();
    const state = rng.exportState();
    const want = Array.from({ length: 700 }, () => rng.next());
    const again = Mt19937.fromState(state);
    assert.equal(
      Array.from({ length: 700 }, () => again.next()),
      want,
    );
  }
});

generator('fills and skips as if it drew one by one', () => {
  const [one, many] = [new Mt19937(3), new Mt19937(3)];
  for (const count of [0, 1, 622, 3, 624, 2000]) {
    const draws = new Uint32Array(count);
    many.fill(draws);
    assert.equal(
      draws,
      draws.map(() => one.next()),
    );
    many.skip(count);
    for (let i = 0; i < count; i++) one.next();
  }
  assert.equal(many.exportState(), one.exportState());
});

generator('takes the low 32 bits of a seed', () => {
  assert.is(new Mt19937(2 ** 32 + 5).next(), new Mt19937(5).next());
});

generator('refuses a state that is none', () => {
  const rng = new Mt19937(1);
  assert.throws(
    () => rng.importState({ words: new Uint32Array(3), index: 0 }),
    /3 words and index 0, want 624/,
  );
  assert.throws(() => rng.importState({ words: new Uint32Array(624), index: 625 }), /index 625/);
});

generator.run();
