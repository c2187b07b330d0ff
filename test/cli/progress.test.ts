import { Writable } from 'node:stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { durationText, openProgress, progressMode, rateText } from '../../cli/progress.js';

/** A stream that keeps what is written. */
class Kept extends Writable {
  text = '';

  constructor(
    readonly isTTY: boolean,
    readonly columns = 110,
  ) {
    super();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

const mode = suite('progressMode');
const on = { quiet: false, show_progress: true };

mode('draws only on a terminal, and nothing when it is not wanted', () => {
  assert.is(progressMode(on, new Kept(false)), 'lines');
  assert.is(progressMode({ ...on, quiet: true }, new Kept(true)), 'none');
  assert.is(progressMode({ ...on, show_progress: false }, new Kept(true)), 'none');
});

mode.run();

const plain = suite('plain lines');

plain('come at most every so often, with loss, rate and time left', async () => {
  const stream = new Kept(false);
  let ms = 0;
  const progress = await openProgress({ mode: 'lines', stream, lineMs: 1000, now: () => ms });
  progress.begin('train epoch 3', 400_000);
  for (let done = 10_000; done <= 400_000; done += 10_000) {
    ms += 100;
    progress.update(done, 0.5);
  }
  progress.end();
  assert.equal(stream.text.split('\n'), [
    'train epoch 3: 25 %, loss 0.5000, 100k examples/s, 3 s left',
    'train epoch 3: 50 %, loss 0.5000, 100k examples/s, 2 s left',
    'train epoch 3: 75 %, loss 0.5000, 100k examples/s, 1 s left',
    '',
  ]);
});

plain('keep the last known loss and do without any', async () => {
  const stream = new Kept(false);
  let ms = 0;
  const progress = await openProgress({ mode: 'lines', stream, lineMs: 0, now: () => (ms += 1000) });
  progress.begin('evaluate', 100);
  progress.update(10);
  progress.update(20, 0.25);
  progress.update(30);
  assert.match(stream.text, /^evaluate: 10 %, 10 examples\/s, .*\n.*loss 0\.2500.*\n.*30 %, loss 0\.2500/);
});

plain('name what is counted, or show no rate', async () => {
  const shown = async (unit: string | null) => {
    const stream = new Kept(false);
    let ms = 0;
    const progress = await openProgress({ mode: 'lines', stream, lineMs: 0, unit, now: () => (ms += 1000) });
    progress.begin('search', 10);
    progress.update(1);
    return stream.text;
  };
  assert.match(await shown('trials'), /^search: 10 %, \d+ trials\/s, \d+ s left\n$/);
  assert.match(await shown(null), /^search: 10 %, \d+ s left\n$/);
});

plain.run();

const bar = suite('bar');

bar('shows title, share, loss and rate, and disappears', async () => {
  const stream = new Kept(true);
  let ms = 0;
  const progress = await openProgress({ mode: 'bar', stream, now: () => ms });
  progress.begin('train epoch 0', 1000);
  // The bar redraws itself ten times a second at most.
  await new Promise((resolve) => setTimeout(resolve, 250));
  ms = 2000;
  progress.update(500, 0.6931);
  progress.end();
  assert.match(stream.text, /train epoch 0 \|.*\| 50 % loss 0\.6931, 250 examples\/s, 2 s left/);
  const shown = stream.text.lastIndexOf('examples/s');
  // The last thing is to clear the line.
  assert.ok(stream.text.lastIndexOf('\u001b[2K') > shown || stream.text.lastIndexOf('\u001b[0K') > shown);
});

bar('leaves Ctrl-C to the command', async () => {
  const before = process.listenerCount('SIGINT');
  const progress = await openProgress({ mode: 'bar', stream: new Kept(true) });
  progress.begin('train epoch 0', 10);
  assert.is(process.listenerCount('SIGINT'), before);
  progress.end();
});

bar.run();

const texts = suite('texts');

texts('give durations and rates for people', () => {
  assert.equal([0, 7.6, 60, 3599, 3600, 7500].map(durationText), [
    '0 s',
    '8 s',
    '1 min 0 s',
    '59 min 59 s',
    '1 h 0 min',
    '2 h 5 min',
  ]);
  assert.equal([0.4, 871, 999.6, 12_345, 1_050_000].map(rateText), ['0', '871', '1.00k', '12.3k', '1.05M']);
});

texts.run();
