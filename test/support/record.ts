/**
 * Runs test files in this process, with the launches of their kernels recorded, and writes those to a file.
 *
 *   CTR_RECORD=1 CTR_ADAPTER=cpu node dist/test/support/record.js <file to write> <test file …>
 */
import { pathToFileURL } from 'node:url';
import { recording } from './device.js';
import { writeLaunches } from './recording.js';

const [target, ...files] = process.argv.slice(2);
// uvu then runs the suites when it is told to, and not on import.
Object.assign(globalThis, { UVU_DEFER: 1, UVU_QUEUE: [[null]] });
for (const file of files) await import(pathToFileURL(file).href);
const { exec } = await import('uvu');
await exec();
writeLaunches(target, await recording.launches());
// Whether the tests pass is said where they run by themselves.
process.exitCode = 0;
