import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseFlags, readCommand } from '../../cli/config/flags.js';
import { editDistance, nearest } from '../../cli/config/nearest.js';
import { bool, int, list, optional, text } from '../../cli/config/option.js';

const splitting = suite('parseFlags');

splitting('keeps values to the letter', () => {
  const flags = parseFlags([
    '--a=b=c',
    "--b={'x': 1}",
    '--c',
    '-3',
    '--d',
    '--e=',
    '--f=\'"',
    '--g.h=x\ny',
    '-h',
  ]);
  assert.equal(
    [...flags],
    [
      ['a', 'b=c'],
      ['b', "{'x': 1}"],
      ['c', '-3'],
      ['d', true],
      ['e', ''],
      ['f', '\'"'],
      ['g.h', 'x\ny'],
      ['help', true],
    ],
  );
});

splitting('refuses what is no flag', () => {
  for (const argv of [['x'], ['-x'], ['--'], ['--=3'], ['--a=1', 'b']]) {
    assert.throws(() => parseFlags(argv), /: not an option; write options as --name=value$/);
  }
});

splitting.run();

const commands = suite('readCommand');
const help = { name: 'predict', summary: 'Scores rows.', examples: ['node cli/predict.js --checkpoint=a'] };
const table = {
  checkpoint: text('', 'the checkpoint to load'),
  rows: int(4096, 'rows of a step', { min: 1 }),
  users: optional(list(['u'], text('u', ''), 'users')),
  quiet: bool(false, 'say nothing'),
};

async function refusal(...argv: readonly string[]): Promise<string> {
  return readCommand(argv, help, table).then(
    () => 'accepted',
    (error: unknown) => (error instanceof Error ? error.message : ''),
  );
}

commands('gives typed, frozen values over defaults', async () => {
  const read = await readCommand(['--checkpoint=a.ckpt', "--users=['1', '2']", '--quiet'], help, table);
  if ('help' in read) throw new Error('want values');
  assert.equal(read.values, { checkpoint: 'a.ckpt', rows: 4096, users: ['1', '2'], quiet: true });
  assert.ok(Object.isFrozen(read.values));
});

commands('wants what has no default', async () => {
  assert.is(await refusal(), '--checkpoint: missing; the checkpoint to load; --help lists all options');
  assert.is(await refusal('--checkpoint'), '--checkpoint: has no value; write --checkpoint=STR');
  assert.is(await refusal('--row=3'), '--row=3: no such option; did you mean rows?');
});

commands('makes help from the same table', async () => {
  const read = await readCommand(['--help'], help, table);
  if (!('help' in read)) throw new Error('want help');
  assert.match(read.help, /^Scores rows\.\n\nnode cli\/predict\.js \[--name=value …\]\n\nOptions:\n/);
  assert.match(read.help, /--checkpoint +the checkpoint to load \(str\) +\[default: required\]/);
  assert.match(read.help, /--users +users \(list\) +\[default: None\]/);
  assert.match(read.help, /Examples:\n +node cli\/predict\.js --checkpoint=a/);
});

commands.run();

const distance = suite('nearest');

distance('counts insertions, deletions, replacements and swaps', () => {
  assert.equal(
    [
      editDistance('abc', 'abc'),
      editDistance('abc', 'ABC'),
      editDistance('', 'abc'),
      editDistance('abc', 'acb'),
      editDistance('kitten', 'sitting'),
    ],
    [0, 0, 3, 1, 3],
  );
});

distance('names only what may have been meant', () => {
  const names = ['epochs', 'eval_step', 'stopping_step'];
  assert.equal([nearest('epoch', names), nearest('evalstep', names)], ['epochs', 'eval_step']);
  assert.equal([nearest('banana', names), nearest('', names)], [null, null]);
});

distance.run();
