import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path/posix';
import { sourcesIn, type Source } from './support/sources.js';

interface Import {
  readonly from: string;
  /** A path from the root without its ending, or a package. */
  readonly to: string;
  readonly typeOnly: boolean;
}

const folders = ['engine', 'models', 'data', 'cli', 'bench', 'test'];
const files: readonly Source[] = folders.flatMap((folder) => sourcesIn(folder, '.ts'));

/** The imports of a file, re-exports included; comments are left out first. */
function importsOf({ path, text }: Source): Import[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const statements = code.matchAll(/^(?:import|export)\s+(type\s+)?([^;'"`]*?\bfrom\s+)?['"]([^'"]+)['"]/gm);
  const named = [...statements].map(([, type, what = '', to]) => {
    const names = /\{([^}]*)\}/
      .exec(what)?.[1]
      .split(',')
      .map((name) => name.trim());
    const types = names?.filter((name) => name !== '').every((name) => name.startsWith('type '));
    return { to, typeOnly: type !== undefined || types === true };
  });
  const dynamic = [...code.matchAll(/\bimport\('([^']+)'\)/g)].map(([, to]) => ({ to, typeOnly: false }));
  return [...named, ...dynamic].map(({ to, typeOnly }) => ({
    from: path,
    to: to.startsWith('.') ? join(dirname(path), to).replace(/\.js$/, '') : to,
    typeOnly,
  }));
}

const imports = files.flatMap(importsOf);
const within = (folder: string) => imports.filter(({ from }) => from.startsWith(`${folder}/`));
const isNode = (to: string) => to.startsWith('node:') || builtinModules.includes(to);
const isOurs = (to: string) => folders.some((folder) => to.startsWith(`${folder}/`));
const shown = (list: readonly Import[]) => list.map(({ from, to }) => `${from} imports ${to}`);

const rules = suite('imports');

rules('are found by this test', () => {
  assert.ok(imports.length > 300, `${imports.length} imports`);
  const one = importsOf({
    path: 'models/a/b.ts',
    text: `import { type X, Y } from '../c.js';\nexport type { Z } from './d.js';\nimport {\n  type W,\n} from 'w';\n// import 'no';`,
  });
  assert.equal(one, [
    { from: 'models/a/b.ts', to: 'models/c', typeOnly: false },
    { from: 'models/a/b.ts', to: 'models/a/d', typeOnly: true },
    { from: 'models/a/b.ts', to: 'w', typeOnly: true },
  ]);
});

rules('of data lead nowhere else of ours', () => {
  assert.equal(shown(within('data').filter(({ to }) => isOurs(to) && !to.startsWith('data/'))), []);
});

/** The files of the engine that know Node: drivers and threads are found and started there. */
const nodeFiles = [
  'engine/adapter.ts',
  'engine/dawn.ts',
  'engine/swiftshader.ts',
  'engine/cpu/open.ts',
  'engine/cpu/worker.ts',
  'engine/wgsl/build.ts',
];

rules('of engine lead nowhere else of ours, and to no Node but in the files that find and start', () => {
  const outside = within('engine').filter(({ from, to }) =>
    isOurs(to) ? !to.startsWith('engine/') : isNode(to) && !nodeFiles.includes(from),
  );
  assert.equal(shown(outside), []);
  const knowing = within('engine').filter(
    ({ from, to }) => !nodeFiles.includes(from) && nodeFiles.includes(`${to}.ts`),
  );
  assert.equal(shown(knowing), [], 'nothing else of the engine imports them');
});

rules('of models lead to engine/index and, as types only, to data/schema', () => {
  const others = within('models').filter(
    ({ to, typeOnly }) =>
      (isOurs(to) || isNode(to)) &&
      !to.startsWith('models/') &&
      to !== 'engine/index' &&
      !(to === 'data/schema' && typeOnly),
  );
  assert.equal(shown(others), []);
});

rules('of the engine from outside go through its index, but for adapter.ts', () => {
  const inside = imports.filter(
    ({ from, to }) => /^(cli|models|data)\//.test(from) && /^engine\/(?!index$|adapter$)/.test(to),
  );
  assert.equal(shown(inside), []);
});

rules('of bench and test come from bench and test only', () => {
  const product = imports.filter(
    ({ from, to }) => !/^(bench|test)\//.test(from) && /^(bench|test)\//.test(to),
  );
  assert.equal(shown(product), []);
});

rules('of ops and optimizers lead to no plan and no device', () => {
  const upward = imports.filter(
    ({ from, to }) =>
      /^engine\/(ops|optim)\//.test(from) && /^engine\/(plan|device|webgpu\w*|store)$/.test(to),
  );
  assert.equal(shown(upward), []);
});

rules('resolve to files that exist', () => {
  const known = new Set(files.map(({ path }) => path.replace(/\.d\.ts$|\.ts$/, '')));
  assert.equal(shown(imports.filter(({ to }) => isOurs(to) && !known.has(to))), []);
});

/** A cycle among the imports that remain at run time; types may refer to each other. */
function cycle(): string[] | undefined {
  const next = new Map<string, string[]>();
  for (const { from, to, typeOnly } of imports) {
    const at = from.replace(/\.ts$/, '');
    if (isOurs(to) && !typeOnly) next.set(at, [...(next.get(at) ?? []), to]);
  }
  const done = new Set<string>();
  const visit = (at: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(at)) return [...path.slice(path.indexOf(at)), at];
    if (done.has(at)) return undefined;
    for (const to of next.get(at) ?? []) {
      const found = visit(to, [...path, at]);
      if (found !== undefined) return found;
    }
    done.add(at);
    return undefined;
  };
  for (const at of next.keys()) {
    const found = visit(at, []);
    if (found !== undefined) return found;
  }
  return undefined;
}

rules('go in no circle', () => {
  assert.is(cycle()?.join(' → '), undefined);
});

const shape = suite('files');
const product = files.filter(({ path }) => !path.startsWith('test/') && !path.endsWith('.d.ts'));

shape('have no default export', () => {
  const bad = files.filter(({ text }) => /^export default\b|^export \{[^}]*\bas default\b/m.test(text));
  assert.equal(
    bad.map(({ path }) => path),
    [],
  );
});

/** The files that gather the exports of others. */
const barrels = ['engine/index.ts', 'engine/ops/index.ts', 'engine/optim/index.ts', 'models/index.ts'];

shape('do something, but for the index files, which gather exports', () => {
  const gathering = product.filter(({ text }) => {
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '').trim();
    return (
      /\bfrom\b/.test(code) &&
      code.replace(/^export (?:type )?(?:\*|\{[^}]*\}) from '[^']*';/gm, '').trim() === ''
    );
  });
  assert.equal(
    gathering.map(({ path }) => path).filter((path) => !barrels.includes(path)),
    [],
  );
  const indices = product.filter(({ path }) => /\bindex\.ts$/.test(path) && !path.startsWith('bench/'));
  assert.equal(
    indices.map(({ path }) => path),
    barrels,
  );
});

shape('keep no state of their own', () => {
  const bad = product.filter(({ text }) => /^(?:export )?let\s/m.test(text));
  assert.equal(
    bad.map(({ path }) => path),
    [],
  );
});

/** Files that may be longer than their kind (but not than 300 lines), and why. */
const excepted: Readonly<Record<string, string>> = {
  'engine/ops/batch_norm.ts': 'training and evaluation, each with its gradient',
  'engine/ops/broadcast.ts': 'a family: three ops, each over scalars, rows and columns',
  'engine/ops/cin.ts': 'a product of three factors and its four gradients',
  'engine/ops/elementwise.ts': 'a family of eight ops',
  'engine/ops/linear.ts': 'a product and its three gradients, from packed panels',
  'engine/ops/sums.ts': 'the sums under sum, mean and broadcast, in one or two levels',
  'shaders/attention.wgsl': 'scores, softmax, dropout and mixture, and the gradient of all four',
  'shaders/batch_norm.wgsl': 'training and evaluation, each with its gradient, in two levels',
  'shaders/broadcast.wgsl': 'a family: three ops, their sums, in three widths',
  'shaders/cin.wgsl': 'a product of three factors and its four gradients',
  'shaders/cross_vector.wgsl': 'a row kernel and its gradients in two levels, in two widths',
  'shaders/complex.wgsl': 'a family of three ops, with sine, cosine and angle written out',
  'shaders/field_linear.wgsl': 'a product and its two gradients, by register tiles, from packed panels',
  'shaders/dropout.wgsl': 'a family: dropout, alone and behind two activations',
  'shaders/embedding_pool.wgsl': 'pooling and its gradient, of floats and of vec4s',
  'shaders/fm_row_sums.wgsl': 'two ops, each with sums in two levels',
  'shaders/linear.wgsl': 'a product and its three gradients, and the packing of their panels',
  'shaders/segment_sum.wgsl': 'sums in two levels, each in two widths',
};

const lines = (text: string) => text.replace(/\n$/, '').split('\n').length;
const tooLong = (list: readonly Source[], most: number) =>
  list
    .filter(({ path, text }) => lines(text) > (excepted[path] === undefined ? most : 300))
    .map(({ path, text }) => `${path}: ${lines(text)} lines`);
const inFolder = (pattern: RegExp) => files.filter(({ path }) => pattern.test(path));

shape('have at most 300 lines', () => {
  assert.equal(tooLong(files, 300), []);
});

shape('have at most 100 lines where they are a model', () => {
  const registry = files.find(({ path }) => path === 'models/index.ts')?.text ?? '';
  const names = [...registry.matchAll(/^import \{ (\w+) \} from '\.\/(\w+)\.js';$/gm)].map(
    ([, , name]) => name,
  );
  assert.ok(names.length >= 3, names.join());
  const list = files.filter(({ path }) => names.some((name) => path === `models/${name}.ts`));
  assert.is(list.length, names.length);
  assert.equal(tooLong(list, 100), []);
});

shape('have at most 80 lines where they are an op', () => {
  assert.equal(tooLong(inFolder(/^engine\/ops\//), 80), []);
});

shape('have at most 170 lines where they are a shader', () => {
  assert.equal(tooLong(sourcesIn('shaders', '.wgsl'), 170), []);
});

shape('are no exceptions without need', () => {
  const limits = (path: string) => (path.startsWith('shaders/') ? 150 : 80);
  const all = [...files, ...sourcesIn('shaders', '.wgsl')];
  const idle = Object.keys(excepted).filter(
    (path) => !all.some((file) => file.path === path && lines(file.text) > limits(path)),
  );
  assert.equal(idle, []);
});

rules.run();
shape.run();
