import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { reflect } from '../../engine/reflect.js';
import { shaderSources } from '../support/sources.js';

const folder = fileURLToPath(new URL('../../../engine/cpu/', import.meta.url));
const sources = shaderSources();
const twins = readdirSync(folder)
  .filter((file) => file.endsWith('.wgsl') && sources.has(file.slice(0, -'.wgsl'.length)))
  .map((file) => file.slice(0, -'.wgsl'.length));

const suiteOfTwins = suite('shaders of engine/cpu that take the place of others');

suiteOfTwins('are there', () => assert.ok(twins.includes('segment_sum') && twins.includes('fm_table')));

for (const name of twins) {
  suiteOfTwins(`have the entries of theirs, on the same buffers and dims: ${name}`, () => {
    const [own, theirs] = [readFileSync(`${folder}${name}.wgsl`, 'utf8'), sources.get(name) as string].map(
      (source) => reflect(name, source),
    );
    assert.equal([...own.keys()].sort(), [...theirs.keys()].sort());
    for (const [entry, { storage, dims, workgroup }] of own) {
      const other = theirs.get(entry);
      const byName = (list: typeof storage = []) => [...list].sort((a, b) => a.binding - b.binding);
      assert.equal(byName(storage), byName(other?.storage), entry);
      assert.equal(dims?.members, other?.dims?.members, entry);
      assert.equal(workgroup, other?.workgroup, entry);
    }
  });
}

suiteOfTwins.run();
