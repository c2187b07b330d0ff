import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nullAdapter } from '../../engine/adapter.js';
import type { Kernel } from '../../engine/index.js';
import { reflect } from '../../engine/reflect.js';
import { shaderSources, sourcesIn } from '../support/sources.js';

const shaders = shaderSources();
const found = await nullAdapter();
/** With WebGPU's default limits, which every adapter has: 8 storage buffers a stage, 256 invocations a workgroup. */
const gpu = await found.adapter.requestDevice();

/** What WebGPU says against `work`; undefined if nothing. */
async function complaint<T>(work: () => T): Promise<[T, string | undefined]> {
  gpu.pushErrorScope('validation');
  const result = work();
  return [result, (await gpu.popErrorScope())?.message];
}

async function compile(name: string, code: string): Promise<GPUShaderModule> {
  const [module, error] = await complaint(() => gpu.createShaderModule({ label: name, code }));
  const { messages } = await module.getCompilationInfo();
  const said = messages.map(
    ({ type, lineNum, linePos, message }) => `${type} ${lineNum}:${linePos}: ${message}`,
  );
  assert.equal(said, [], `${name}.wgsl compiles without a word`);
  assert.is(error, undefined);
  return module;
}

/** Buffers for exactly the bindings that reflection found: WebGPU refuses one too few and one too many. */
function bindings({ storage, dims }: Kernel): GPUBindGroupEntry[] {
  const buffer = (usage: number) => gpu.createBuffer({ size: 1024, usage });
  const entries = storage.map(({ binding }) => ({
    binding,
    resource: { buffer: buffer(GPUBufferUsage.STORAGE) },
  }));
  return dims === undefined
    ? entries
    : [
        ...entries,
        { binding: dims.binding, resource: { buffer: buffer(GPUBufferUsage.UNIFORM), size: dims.bytes } },
      ];
}

async function validate(module: GPUShaderModule, kernel: Kernel): Promise<void> {
  const constants = Object.fromEntries(kernel.overrides.map((name) => [name, 1]));
  const pipeline = await gpu.createComputePipelineAsync({
    layout: 'auto',
    compute: { module, entryPoint: kernel.entry, constants },
  });
  const [, error] = await complaint(() => {
    const group = gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: bindings(kernel) });
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(1);
    pass.end();
    gpu.queue.submit([encoder.finish()]);
  });
  assert.is(error, undefined, `${kernel.entry}: ${error}`);
}

const validated = suite('shaders on the null backend');
for (const [name, code] of shaders) {
  validated(`${name}.wgsl compiles, and binds what reflection finds`, async () => {
    const kernels = [...reflect(name, code).values()];
    assert.equal(
      kernels.map(({ entry }) => entry),
      [...code.matchAll(/@compute[^{;]*?\bfn\s+(\w+)/g)].map(([, entry]) => entry),
      'reflection finds every entry',
    );
    const module = await compile(name, code);
    for (const kernel of kernels) await validate(module, kernel);
  });
}

validated('notices a binding that reflection leaves out, and one too many', async () => {
  const code = shaders.get('elementwise') ?? '';
  const kernel = reflect('elementwise', code).get('add_forward');
  assert.ok(kernel);
  const module = await compile('elementwise', code);
  const pipeline = await gpu.createComputePipelineAsync({
    layout: 'auto',
    compute: { module, entryPoint: 'add_forward' },
  });
  const layout = pipeline.getBindGroupLayout(0);
  const entries = bindings(kernel);
  const extra = {
    binding: 9,
    resource: { buffer: gpu.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE }) },
  };
  for (const [wrong, given] of [entries.slice(1), [...entries, extra]].entries()) {
    const [, error] = await complaint(() => gpu.createBindGroup({ layout, entries: given }));
    assert.ok(error !== undefined, `case ${wrong} is refused`);
  }
});

const limits = suite('kernels');
const kernels = [...shaders].flatMap(([name, code]) => [...reflect(name, code).values()]);

limits('bind at most 8 storage buffers, at distinct bindings', () => {
  for (const { entry, storage, dims } of kernels) {
    assert.ok(storage.length >= 1 && storage.length <= 8, `${entry} binds ${storage.length}`);
    const slots = [...storage.map(({ binding }) => binding), ...(dims ? [dims.binding] : [])];
    assert.is(new Set(slots).size, slots.length, `${entry} uses a binding twice`);
    assert.ok(
      storage.some(({ writable }) => writable),
      `${entry} writes something`,
    );
  }
});

limits('have workgroups of 1 to 256 invocations', () => {
  for (const { entry, workgroup } of kernels) {
    const invocations = workgroup[0] * workgroup[1] * workgroup[2];
    assert.ok(invocations >= 1 && invocations <= 256, `${entry} has ${invocations}`);
  }
});

limits('read dims from binding 0', () => {
  for (const { entry, dims } of kernels) assert.is(dims?.binding ?? 0, 0, entry);
});

const names = suite('names');

/** The words in quotes of the engine, of which it makes the names of entries: `adam_rows${suffix}` has `adam_rows`. */
function words(): Set<string> {
  const text = sourcesIn('engine', '.ts')
    .map((source) => source.text)
    .join('\n');
  const plain = [...text.matchAll(/'(\w+)'/g)].map(([, word]) => word);
  const templates = [...text.matchAll(/`([^`\n]*)`/g)].flatMap(([, template]) =>
    template.split(/\$\{[^}]*\}/),
  );
  const fragments = [...plain, ...templates];
  return new Set(
    fragments.map((fragment) => fragment.replace(/^_|_$/g, '')).filter((word) => /^\w+$/.test(word)),
  );
}

/** Whether `parts` joined by underscores are words, one after another. */
function isMadeOf(parts: readonly string[], known: ReadonlySet<string>): boolean {
  return (
    parts.length === 0 ||
    parts.some((_, i) => known.has(parts.slice(0, i + 1).join('_')) && isMadeOf(parts.slice(i + 1), known))
  );
}

names('of entries are made of words of the engine: none is left over, none unknown', () => {
  const known = words();
  const unknown = kernels.filter(({ entry }) => !isMadeOf(entry.split('_'), known));
  assert.equal(
    unknown.map(({ shader, entry }) => `${shader}.wgsl: ${entry}`),
    [],
  );
  assert.not.ok(isMadeOf('linear_sideways'.split('_'), known), 'an entry that nobody calls is found');
});

/** Families, whose entries begin with the names of their members. */
const families = ['broadcast', 'dropout', 'elementwise', 'fm_pairs'];

names('of entries begin with that of their shader', () => {
  const strange = kernels.filter(
    ({ shader, entry }) => !entry.startsWith(shader.replace(/_replay$/, '')) && !families.includes(shader),
  );
  assert.equal(
    strange.map(({ shader, entry }) => `${shader}.wgsl: ${entry}`),
    [],
  );
});

names('are unique: an entry is found by its name alone', () => {
  assert.is(new Set(kernels.map(({ entry }) => entry)).size, kernels.length);
});

/** Tests of shaders whose file does not have the shader's name. */
const testedIn: Readonly<Record<string, string>> = {
  adam_replay: 'optim/adam',
  batch_join: 'models/feed',
  binary_cross_entropy: 'ops/losses',
  class_aggregation: 'ops/losses',
  fm_row_sums: 'ops/fm_table',
  softmax_cross_entropy: 'ops/losses',
  step: 'engine/plan',
};

names('of shaders lead to a test', () => {
  const tests = new Set(
    sourcesIn('test', '.test.ts').map(({ path }) => path.replace(/^test\/|\.test\.ts$/g, '')),
  );
  const untested = [...shaders.keys()].filter((name) =>
    testedIn[name] ? !tests.has(testedIn[name]) : !tests.has(`ops/${name}`) && !tests.has(`optim/${name}`),
  );
  assert.equal(untested, []);
  const stale = Object.keys(testedIn).filter((name) => !shaders.has(name) || tests.has(`ops/${name}`));
  assert.equal(stale, [], 'exceptions that are none');
});

names.after(() => gpu.destroy());
for (const one of [validated, limits, names]) one.run();
