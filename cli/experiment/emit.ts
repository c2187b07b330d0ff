import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { Document } from 'yaml';
import { atomicWrite } from '../files.js';
import { cellName, type Plan } from './cell.js';
import type { Manage, Scheduler } from './request.js';

// Where nothing is asked for: enough to load data while a step is computed.
const defaultThreads = 4;

interface Job {
  readonly plan: Plan;
  readonly manage: Manage;
  readonly threads: number;
}

interface Emitted {
  readonly file: string;
  readonly text: string;
  /** What to do with the file at `path`. */
  readonly submit: (path: string) => string;
}

/** Within single quotes a shell changes nothing. */
const quoted = (word: string) => (/^[\w.,/=+@:-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** The command of one cell; `cell` is for a shell as it stands. */
function cellCommand({ plan, manage, threads }: Job, cell: string): string {
  const flags = [`--name=${plan.name}`, `--checkpoint_dir=${manage.checkpoint_dir}`, `--threads=${threads}`];
  return `node cli/experiment.js ${flags.map(quoted).join(' ')} --cell=${cell}`;
}

function slurm(job: Job): Emitted {
  const { plan, manage, threads } = job;
  const limit = manage.jobs > 1 ? `%${manage.jobs}` : '';
  const text = `#!/bin/bash
#SBATCH --job-name=${plan.name}
#SBATCH --array=0-${plan.cells.length - 1}${limit}
#SBATCH --cpus-per-task=${threads}
#SBATCH --requeue
# Slurm starts in the folder of sbatch: submit in that of the program. A requeued cell goes on where it was.
set -euo pipefail
exec ${cellCommand(job, '"$SLURM_ARRAY_TASK_ID"')}
`;
  return { file: 'slurm.sh', text, submit: (path) => `sbatch ${quoted(path)}` };
}

function parallel(job: Job): Emitted {
  const { plan, manage } = job;
  const lines = plan.cells.map((cell) => cellCommand(job, quoted(cellName(cell))));
  return {
    file: 'jobs.txt',
    text: `${lines.join('\n')}\n`,
    submit: (path) => `parallel --jobs ${manage.jobs} --halt never < ${quoted(path)}`,
  };
}

/** A name as Kubernetes takes it: lower-case letters, digits and dashes, 63 at most. */
function kubernetesName(name: string): string {
  const fit = `ctr-${name.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`;
  return fit.slice(0, 63).replace(/-+$/, '');
}

function kubernetes(job: Job): Emitted {
  const { plan, manage, threads } = job;
  const mounts = ['dataset', 'saved'].map((folder) => ({
    name: 'data',
    mountPath: `/app/${folder}`,
    subPath: folder,
  }));
  const manifest = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: kubernetesName(plan.name) },
    spec: {
      completionMode: 'Indexed',
      completions: plan.cells.length,
      parallelism: manage.jobs,
      // Of each cell, so that one that fails does not end the others.
      backoffLimitPerIndex: 3,
      maxFailedIndexes: plan.cells.length,
      template: {
        spec: {
          restartPolicy: 'Never',
          containers: [
            {
              name: 'cell',
              image: manage.image,
              workingDir: '/app',
              command: ['sh', '-c', `exec ${cellCommand(job, '"$JOB_COMPLETION_INDEX"')}`],
              resources: { requests: { cpu: String(threads) }, limits: { cpu: String(threads) } },
              volumeMounts: mounts,
            },
          ],
          volumes: [{ name: 'data', persistentVolumeClaim: { claimName: manage.claim } }],
        },
      },
    },
  };
  const text = new Document(manifest).toString({ lineWidth: 0 });
  return { file: 'job.yaml', text, submit: (path) => `kubectl apply -f ${quoted(path)}` };
}

const formats = { slurm, parallel, k8s: kubernetes } satisfies Record<Scheduler, (job: Job) => Emitted>;

/** Writes what a scheduler runs the plan with into the experiment's folder; returns what to do with it. */
export async function emit(
  folder: string,
  plan: Plan,
  scheduler: Scheduler,
  manage: Manage,
): Promise<string> {
  const { file, text, submit } = formats[scheduler]({
    plan,
    manage,
    threads: manage.threads ?? defaultThreads,
  });
  const path = join(folder, file);
  await atomicWrite(path, text);
  if (file.endsWith('.sh')) await chmod(path, 0o755);
  const where = `--name=${quoted(plan.name)} --checkpoint_dir=${quoted(manage.checkpoint_dir)}`;
  return [
    `${path}: ${plan.cells.length} cells`,
    `run them with:     ${submit(path)}`,
    `gather them with:  node cli/experiment.js ${where} --collect`,
  ].join('\n');
}
