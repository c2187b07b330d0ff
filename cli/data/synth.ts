import { join } from 'node:path';
import { datasetName } from '../../data/convert/names.js';
import { likes, syntheticSpec, writeSynthetic, type Like } from '../../data/synthetic.js';
import { readCommand } from '../config/flags.js';
import type { CommandHelp } from '../config/help.js';
import { choice, float, int, optional, text, type OptionTable } from '../config/option.js';

const help: CommandHelp = {
  name: 'data',
  subcommand: 'synth',
  summary: 'node cli/data.js synth: writes a synthetic data set with a planted latent-factor model.',
  examples: [
    'node cli/data.js synth',
    'node cli/data.js synth --like=ml-1m',
    'node cli/data.js synth --like=yelp2018 --scale=0.05 --name=yelp-small',
    'node cli/data.js synth --name=mine --users=5000 --items=2000 --interactions=300000 --seed=7',
  ],
};

const count = (what: string) => optional(int(1, what, { min: 1 }));

const like = choice<Like>('ml-1m', likes, 'published size and columns of a public set');

const table = {
  like: optional({ ...like, read: (value, where) => like.read(datasetName(String(value)), where) }),
  scale: float(1, 'shrinks that size: 0.01 is a hundredth of the interactions', { above: 0 }),
  users: count('number of users, instead of the given size'),
  items: count('number of items'),
  interactions: count('number of interactions, each a pair of its own'),
  seed: int(2020, 'the same seed gives the same files', { min: 0 }),
  name: optional(text('', 'name of the set; None: that of --like, or sample')),
  out: text('dataset/', 'folder of the data sets; the files go to <out>/<name>'),
} as const satisfies OptionTable;

/** `data synth`: writes the set and says where. Throws ConfigError or DataError. */
export async function synth(argv: readonly string[]): Promise<void> {
  const request = await readCommand(argv, help, table);
  if ('help' in request) return void console.log(request.help);
  const { out, ...asked } = request.values;
  // What was not asked for is left to the preset.
  const options = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== null));
  const spec = syntheticSpec(options);
  const size = `${grouped(spec.users)} users, ${grouped(spec.items)} items, ${grouped(spec.interactions)} interactions`;
  console.log(
    `${join(out, spec.name)}: writing ${size}, synthetic, in the form of ${spec.like}, seed ${spec.seed}`,
  );
  const started = performance.now();
  await writeSynthetic(spec, out);
  console.log(`done in ${((performance.now() - started) / 1000).toFixed(1)} s; train on it with:`);
  const place = join(out) === join('dataset/') ? '' : ` --data_path=${out}`;
  console.log(`  node cli/train.js --model=FM --dataset=${spec.name}${place} --multi_cls=5`);
}

const grouped = (count: number): string => count.toLocaleString('en-US');
