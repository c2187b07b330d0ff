import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Sharing } from '../../engine/cpu/sharing.js';

const sharing = suite('Sharing');

/** A submission of 20 repetitions that take so long one way or the other; which of them are shared. */
function submit(of: Sharing, sharedMs: number, aloneMs: number, { times = 20, expectedNs = 5e5 } = {}) {
  of.begin(times, expectedNs);
  return Array.from({ length: times }, (_, time) => {
    const shares = of.shares(time);
    // The first repetition after a change of ways is slow, and the very first is timed kernel by kernel.
    const moved = time % 3 === 1 || time === 0;
    of.took(time, (shares ? sharedMs : aloneMs) * (moved ? 10 : 1));
    return shares;
  });
}

const shared = (count: number) => Array<boolean>(count).fill(true);
const alone = (count: number) => Array<boolean>(count).fill(false);

sharing('tries both ways in a first submission, and goes on by the faster', () => {
  assert.equal(submit(new Sharing(), 0.3, 0.5), [...shared(4), ...alone(3), ...shared(13)]);
  assert.equal(submit(new Sharing(), 0.9, 0.5), [...shared(4), ...alone(16)]);
});

sharing('goes on to share where both ways are as fast', () => {
  assert.ok(submit(new Sharing(), 0.52, 0.5).at(-1));
});

sharing('keeps to what it found, and tries again in the 2nd, 4th, 8th, 16th and 32nd submission', () => {
  const one = new Sharing();
  const tries = Array.from({ length: 40 }, (_, i) => submit(one, 0.9, 0.5).includes(true) && i + 1);
  assert.equal(tries.filter(Boolean), [1, 2, 4, 8, 16, 32]);
});

sharing('finds out that cores were moved', () => {
  const one = new Sharing();
  for (let i = 0; i < 15; i++) submit(one, 0.9, 0.5);
  assert.equal(submit(one, 0.3, 0.5).slice(7), shared(13));
});

sharing('shares long repetitions, and all where few leave no room for a trial', () => {
  const one = new Sharing();
  assert.equal(submit(one, 9, 5, { expectedNs: 5e6 }), shared(20));
  assert.equal(submit(one, 0.9, 0.5, { times: 7 }), shared(7));
  submit(one, 0.9, 0.5);
  assert.equal(submit(one, 0.9, 0.5, { times: 3 }), alone(3), 'and by the last trial where there was one');
  assert.equal(submit(one, 9, 5, { expectedNs: 5e6 }), shared(20));
});

sharing.run();
