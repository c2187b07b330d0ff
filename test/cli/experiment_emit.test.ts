import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { entries, experimentScript, readSummary } from '../support/experiment.js';
import { node, tinyFolder } from '../support/train.js';

const folder = await tinyFolder();
const root = resolve('.');
const run = (...argv: readonly string[]) => node(folder, [experimentScript, ...argv]);
const options = [
  '--models=FM',
  '--datasets=tiny',
  '--ratios=0.5',
  '--seeds=1',
  '--epochs=1',
  '--adapter=cpu',
];
const at = (name: string, file: string) => join(folder, 'saved', 'experiments', name, file);
const names = ['tiny-FM-binary-2020', 'tiny-FM-5classes-0.5-2020'];

/** Runs a line as a scheduler would, with the program's folder where the line has its own. */
const shell = (line: string, env: NodeJS.ProcessEnv = {}) =>
  execFileSync('bash', ['-c', line.replace(' cli/', ` ${root}/cli/`)], {
    cwd: folder,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });

const emits = suite('--emit');

emits('slurm writes an array script of which each task is a cell', async () => {
  const { code, out, err } = await run(
    '--grid',
    '--name=array',
    ...options,
    '--threads=2',
    '--jobs=8',
    '--emit=slurm',
  );
  assert.is(code, 0, err);
  assert.match(
    out,
    /slurm\.sh: 2 cells\nrun them with: +sbatch saved.*slurm\.sh\n.*--name=array .*--collect\n$/s,
  );
  const script = readFileSync(at('array', 'slurm.sh'), 'utf8');
  execFileSync('bash', ['-n', at('array', 'slurm.sh')]);
  assert.match(script, /^#!\/bin\/bash\n(#SBATCH .*\n)*#SBATCH --array=0-1%8\n#SBATCH --cpus-per-task=2\n/);
  const line = script.trimEnd().split('\n').at(-1) ?? '';
  assert.match(shell(line, { SLURM_ARRAY_TASK_ID: '1' }), /^tiny-FM-5classes-0\.5-2020: test AUC 0\.\d{4}, /);
  assert.equal(entries(at('array', 'cells')), [names[1]]);
  const collected = await run('--name=array', '--collect');
  assert.is(collected.code, 0, collected.err);
  assert.match(collected.out, /\n1 cell is not finished: tiny-FM-binary-2020\n/);
  assert.equal(readSummary(folder, 'array').unfinished, [names[0]]);
});

emits('parallel writes a line for each cell, which runs alone and is gathered', async () => {
  assert.is((await run('--grid', '--name=list', ...options, '--emit=parallel')).code, 0);
  const lines = readFileSync(at('list', 'jobs.txt'), 'utf8').trimEnd().split('\n');
  assert.equal(
    lines.map((line) => /--cell=(\S+)$/.exec(line)?.[1]),
    names,
  );
  for (const line of lines) shell(line);
  // A cell that is finished is so at once.
  assert.match(shell(lines[0]), /^tiny-FM-binary-2020: test AUC /);
  const collected = await run('--name=list', '--collect');
  assert.is(collected.code, 0, collected.err);
  assert.equal(
    readSummary(folder, 'list').comparisons.map(({ metric, n }) => [metric, n]),
    [
      ['AUC', 1],
      ['LogLoss', 1],
    ],
  );
});

emits('k8s writes an indexed Job', async () => {
  const flags = ['--emit=k8s', '--image=registry/ctr:1', '--claim=disk', '--jobs=3'];
  const { code, out, err } = await run('--grid', '--name=Big_One', ...options, ...flags);
  assert.is(code, 0, err);
  assert.match(out, /kubectl apply -f saved\/experiments\/Big_One\/job\.yaml/);
  const { kind, metadata, spec } = parse(readFileSync(at('Big_One', 'job.yaml'), 'utf8'));
  assert.equal([kind, metadata.name], ['Job', 'ctr-big-one']);
  assert.equal([spec.completionMode, spec.completions, spec.parallelism], ['Indexed', 2, 3]);
  const { containers, volumes } = spec.template.spec;
  assert.is(containers[0].image, 'registry/ctr:1');
  assert.is(volumes[0].persistentVolumeClaim.claimName, 'disk');
  const [, , line] = containers[0].command;
  execFileSync('bash', ['-n', '-c', line]);
  assert.match(line, /--threads=4 --cell="\$JOB_COMPLETION_INDEX"$/);
});

emits('needs no data here, but options that are right', async () => {
  const argv = ['--grid', '--models=FM', '--datasets=ml-1m', '--emit=slurm'];
  assert.is((await run(...argv, '--name=there')).code, 0);
  const wrong = await run(...argv, '--name=wrong', '--learner=adan');
  assert.is(wrong.code, 1);
  assert.match(wrong.err, /--learner=adan: not known; /);
  assert.not.ok(existsSync(at('wrong', 'plan.json')));
});

emits('cells that are not there are refused', async () => {
  const { code, err } = await run('--name=list', '--cell=2');
  assert.is(code, 1);
  assert.match(err, /--cell=2: not in list; give 0 … 1, or a name/);
});

emits.run();
