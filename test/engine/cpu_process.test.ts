import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { child, engine, type Ended } from '../support/adapters.js';
import { handMade } from '../support/cpu_modules.js';

// A process of its own would take a second to load what makes the module.
const module = Buffer.from(handMade()).toString('base64');

/** Runs a script with a device on two threads, y of 1,000 words, and `slow`, which adds step to each by ones. */
function computing(script: string): Promise<Ended> {
  const at = (path: string) => pathToFileURL(join(engine, path)).href;
  return child(`
    import { openCpu } from '${at('cpu/open.js')}';
    const module = Buffer.from('${module}', 'base64');
    const device = await openCpu({ threads: 2, smallNs: 0, readModule: async () => module });
    const y = device.buffer('y', 4000);
    const slow = async (step) => device.commands([
      { label: 'slow', shader: 'hand_made', entry: 'slow', buffers: { y }, dims: { step }, over: [1000] },
    ]);
    const first = async () => new Uint32Array(await device.download(y))[0];
    ${script}`);
}

const ending = suite('a process that computes on the CPU');

ending('ends by itself, time after time', async () => {
  for (let i = 0; i < 3; i++) {
    const { code, signal, out, err } = await computing(
      `device.run(await slow(10000), 3); console.log(await first());`,
    );
    assert.is(code, 0, `${signal} ${err}`);
    assert.is(out, '30000');
  }
});

ending('waits for what it awaits, and for nothing else', async () => {
  const awaited = await computing(`device.run(await slow(500000), 1); void first().then(console.log);`);
  assert.equal([awaited.code, awaited.out], [0, '500000'], awaited.err);
  const started = performance.now();
  const left = await computing(`device.run(await slow(2000000000), 1); console.log('left');`);
  assert.equal([left.code, left.out], [0, 'left'], left.err);
  assert.ok(performance.now() - started < 5000);
});

ending('keeps the exit code it is given, with work under way', async () => {
  const { code } = await computing(`device.run(await slow(2000000000), 1); process.exit(3);`);
  assert.is(code, 3);
});

ending('ends after an interrupt', async () => {
  const { code, signal } = await computing(
    `device.run(await slow(2000000000), 1);
     setTimeout(() => process.kill(process.pid, 'SIGINT'), 50);
     await device.settled();`,
  );
  assert.ok(code !== 0 || signal !== null);
});

ending('ends after destroy(), and while it was not awaited', async () => {
  const { code, out, err } = await computing(
    `device.run(await slow(2000000000), 1);
     const waiting = device.settled().catch((error) => console.log(error.message));
     device.destroy();
     await waiting;`,
  );
  assert.is(code, 0, err);
  assert.match(out, /was destroyed; open another$/);
});

ending.run();
