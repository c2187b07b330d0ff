/**
 * `node train_child.js '{"signal":"SIGKILL","epoch":1,"done":2}' --model=FM …`: the command train, saving
 * after every chunk, that sends itself a signal once it has saved that state; with `stray` in its place it fails where
 * nobody waits for it.
 */
import { runCommand } from '../../cli/command.js';
import { main } from '../../cli/train.js';
import { DeviceError } from '../../engine/index.js';

interface Moment {
  readonly signal: NodeJS.Signals | 'stray';
  readonly epoch: number;
  readonly done: number;
}

const moment = JSON.parse(process.argv[2]) as Moment;

await runCommand('train', ([, ...argv]) =>
  main(argv, {
    saveEveryMs: 0,
    kept({ epoch, done }) {
      if (epoch !== moment.epoch || done !== moment.done) return;
      if (moment.signal !== 'stray') return void process.kill(process.pid, moment.signal);
      setImmediate(() => {
        throw new DeviceError('a thread has died');
      });
    },
  }),
);
