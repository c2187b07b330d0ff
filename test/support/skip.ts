import { existsSync } from 'node:fs';
import type { Test } from 'uvu';

/**
 * Registers `body` as test `name` of `suite` if every path exists, else registers it as skipped and prints why.
 * Paths are relative to the repository's root.
 */
export function skipUnless(
  paths: readonly string[],
  suite: Test,
  name: string,
  body: () => void | Promise<void>,
): void {
  const missing = paths.find((path) => !existsSync(path));
  if (missing === undefined) {
    suite(name, body);
    return;
  }
  console.log(`SKIP ${name}: ${missing} is not here`);
  suite.skip(name, body);
}
