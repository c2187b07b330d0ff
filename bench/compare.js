// Plain JavaScript, as it runs before anything is compiled.
import { existsSync } from 'node:fs';

const compiled = new URL('../dist/bench/compare.js', import.meta.url);
if (existsSync(compiled)) {
  const { main } = await import(compiled.href);
  process.exitCode = main(process.argv.slice(2));
} else {
  process.stderr.write('compare: not compiled; run npm run build\n');
  process.exitCode = 2;
}
