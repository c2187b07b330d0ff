import { rmSync } from 'node:fs';
import { runTraining, type Ending } from '../cells/run.js';
import { runFolders } from '../cells/state.js';
import { plainText } from '../config/literal.js';
import { bestPath, lastPath } from '../train/keeper.js';
import { bestOf, isPruned, type Curve, type PruneRule } from './prune.js';
import { bestTrial } from './report.js';
import type { Params } from './space.js';
import type { Study, Trial } from './study.js';

/** What all trials of a study share. */
export interface TrialOptions {
  /** Flags of `train`. */
  readonly argv: readonly string[];
  /** The valid metric. */
  readonly metric: string;
  readonly rule: PruneRule;
  /** Epochs of a trial that goes to its end; there is nothing to save after the last. */
  readonly epochs: number;
  readonly signal: AbortSignal;
  /** Told how many epochs of the trial are done. */
  readonly progress: (epochs: number) => void;
}

/** Flags that set the values of a trial. */
export const flagsOf = (params: Params): readonly string[] =>
  Object.entries(params).map(([name, value]) => `--${name}=${plainText(value)}`);

/** Trains with the values; null if the signal stopped it. */
export async function runTrial(study: Study, params: Params, options: TrialOptions): Promise<Trial | null> {
  const { metric, rule } = options;
  const number = study.trials.length;
  const before = study.trials
    .filter(({ state }) => state !== 'failed')
    .map(({ curve, state }) => ({ curve, isWhole: state === 'complete' }));
  const started = performance.now();
  let curve: Curve = [];
  const end = await runTraining({
    folder: study.trialFolder(number),
    argv: [...options.argv, ...flagsOf(params)],
    signal: options.signal,
    follow({ epoch, valid }) {
      options.progress(epoch + 1);
      if (valid === null) return true;
      curve = [...curve, { epoch, score: Number(valid[metric]) }];
      return epoch + 1 >= options.epochs || !isPruned(curve, before, rule);
    },
  });
  if (end.kind === 'stopped') return null;
  const score = bestOf(curve, rule.bigger);
  const best = curve.findLast((one) => one.score === score);
  const hasScore = end.kind !== 'failed' && best !== undefined;
  return {
    trial: number,
    params,
    score: hasScore ? score : null,
    best_epoch: best?.epoch ?? -1,
    curve,
    seconds: Math.round(performance.now() - started) / 1000,
    ...outcome(end, metric, hasScore),
  };
}

type Outcome = Pick<Trial, 'state' | 'valid' | 'test' | 'run' | 'error'>;

function outcome(end: Exclude<Ending, { kind: 'stopped' }>, metric: string, hasScore: boolean): Outcome {
  const none = { valid: null, test: null };
  if (end.kind === 'failed') return { state: 'failed', ...none, run: null, error: end.reason };
  if (end.kind === 'ended') return { state: 'pruned', ...none, run: end.run };
  const { run, result } = end;
  if (!hasScore) return { state: 'failed', ...none, run, error: `no epoch has a valid ${metric}` };
  return { state: 'complete', valid: result.valid, test: result.test, run };
}

/** Removes the checkpoints of all trials but the best. */
export function removeWorse({ trials, trialFolder }: Study, bigger: boolean): void {
  const best = bestTrial(trials, bigger);
  for (const { trial } of trials.filter((one) => one !== best)) {
    for (const path of runFolders(trialFolder(trial)).flatMap((run) => [bestPath(run), lastPath(run)])) {
      rmSync(path, { force: true });
    }
  }
}
