/**
 * Compares this engine with golden fixtures of the original PyTorch code.
 *
 *   npm run parity -- FILE…
 */
import { ShapeError } from '../engine/index.js';
import { testDevice } from './support/device.js';
import { readFixture } from './support/fixture.js';
import { compareFixture, exceeded } from './support/parity.js';

async function main(files: readonly string[]): Promise<number> {
  if (files.length === 0) {
    console.error('parity: no file given; usage: npm run parity -- FILE…');
    return 1;
  }
  const device = await testDevice();
  console.log(`adapter: ${device.name}`);
  let failures = 0;
  for (const file of files) {
    try {
      const parts = await compareFixture(device, readFixture(file));
      const bad = exceeded(parts);
      failures += bad.length > 0 ? 1 : 0;
      console.log(`${bad.length === 0 ? 'ok  ' : 'FAIL'} ${file}`);
      for (const { part, difference, tolerance } of parts) {
        const mark = difference <= tolerance ? ' ' : '✗';
        console.log(
          `  ${mark} ${part.padEnd(72)} ${difference.toExponential(2)}  (allowed ${tolerance.toExponential(1)})`,
        );
      }
    } catch (error) {
      failures++;
      const message =
        error instanceof Error
          ? error instanceof ShapeError
            ? error.message
            : (error.stack ?? '')
          : String(error);
      console.log(`FAIL ${file}\n  ${message}`);
    }
  }
  console.log(`${files.length - failures} of ${files.length} files agree`);
  device.destroy();
  return failures === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
