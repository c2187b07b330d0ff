import { readdirSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { traceTraining } from '../../models/index.js';
import { fixtureDataset, programOf, readFixture } from '../support/fixture.js';

const golden = 'test/fixtures/golden';
const names = suite('parameters');

/** Not ours: how many batches a batch norm has seen, which torch does without. */
const counter = /\.num_batches_tracked$/;
const shaped = (entries: Iterable<readonly [string, readonly number[]]>) =>
  [...entries].map(([name, shape]) => `${name} [${shape}]`).sort();

for (const file of readdirSync(golden).filter((name) => !name.startsWith('traj_'))) {
  names(`of ${file} have the names and shapes of the reference's state_dict`, () => {
    const fixture = readFixture(`${golden}/${file}`);
    const { model, hyper, multi_cls, init, init_buffers, init_untracked } = fixture;
    const program = programOf(model, { ...hyper, multi_cls }, fixtureDataset(fixture).schema);
    const sizes = { scope: 'train', rows: 4, capacity: 4, chunkSteps: 1, users: 1, items: 1 };
    const { tape } = traceTraining(program, sizes);
    const ours = [...tape.initial.keys()].map(({ name, shape }) => [name, shape] as const);
    const theirs = Object.entries({ ...init, ...init_buffers, ...init_untracked }).map(
      ([name, tensor]) => [name, tensor?.shape ?? []] as const,
    );
    assert.equal(shaped(ours), shaped(theirs.filter(([name]) => !counter.test(name))));
  });
}

names.run();
