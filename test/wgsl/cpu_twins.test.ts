import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Kernel } from '../../engine/index.js';
import { reflect } from '../../engine/reflect.js';
import { cpuTwins, shaderSources } from '../support/sources.js';

const sources = shaderSources();

const twins = suite('shaders of engine/cpu that take the place of others');

twins('are there', () => assert.ok(cpuTwins().has('segment_sum') && cpuTwins().has('fm_table')));

/** What a launch sees of an entry; the order in which it names its buffers is not part of that. */
const seen = ({ storage, dims, workgroup, overrides }: Kernel) => ({
  storage: [...storage].sort((a, b) => a.binding - b.binding),
  dims: dims?.members,
  workgroup,
  overrides,
});

for (const [name, source] of cpuTwins()) {
  twins(`have the entries of theirs, on the same buffers and dims: ${name}`, () => {
    const [own, theirs] = [source, sources.get(name) as string].map((text) => reflect(name, text));
    assert.equal([...own.keys()].sort(), [...theirs.keys()].sort());
    for (const [entry, kernel] of own) assert.equal(seen(kernel), seen(theirs.get(entry) as Kernel), entry);
  });
}

twins.run();
