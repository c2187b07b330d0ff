import { existsSync } from 'node:fs';
import type { Test } from 'uvu';

type Body = () => void | Promise<void>;

/** Registers `body` as test `name` of `suite` if `possible`, else registers it as skipped and prints `because`. */
export function testWhen(possible: boolean, because: string, suite: Test, name: string, body: Body): void {
  if (possible) {
    suite(name, body);
    return;
  }
  console.log(`SKIP ${name}: ${because}`);
  suite.skip(name, body);
}

/** Registers a test that needs files: paths relative to the repository's root. */
export function skipUnless(paths: readonly string[], suite: Test, name: string, body: Body): void {
  const missing = paths.find((path) => !existsSync(path));
  testWhen(missing === undefined, `${missing} is not here`, suite, name, body);
}
