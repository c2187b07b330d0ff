import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Behind } from '../../cli/train/behind.js';

const behind = suite('Behind');

behind('returns while work goes on, and begins the next when it is done', async () => {
  const said: string[] = [];
  const ends: (() => void)[] = [];
  const work = (name: string) => async () => {
    said.push(`${name} begins`);
    await new Promise<void>((resolve) => ends.push(resolve));
    said.push(`${name} ends`);
  };
  const writing = new Behind();
  await writing.begin(work('a'));
  const second = writing.begin(work('b'));
  await Promise.resolve();
  assert.equal(said, ['a begins']);
  ends[0]();
  await second;
  assert.equal(said, ['a begins', 'a ends', 'b begins']);
  ends[1]();
  await writing.done();
  assert.is(said.at(-1), 'b ends');
});

behind('tells of a failure when the next is to begin, and at the end', async () => {
  const writing = new Behind();
  const failing = async () => {
    throw new Error('disk full');
  };
  await writing.begin(failing);
  let begun = false;
  const next = writing.begin(async () => void (begun = true));
  const message = (promise: Promise<void>) =>
    promise.then(
      () => 'done',
      (error: Error) => error.message,
    );
  assert.equal(await Promise.all([message(next), message(writing.done())]), ['disk full', 'disk full']);
  assert.not.ok(begun);
});

behind.run();
