// Plain JavaScript, as it runs before anything is compiled and on a Node that may be too old for the rest.
import { existsSync } from 'node:fs';

const needed = [20, 11];

function stop(message) {
  process.stderr.write(`${message}\n`, () => process.exit(1));
}

/** Runs the compiled command dist/cli/<name>.js, or says in one line why that cannot be. */
export async function start(name) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
    return stop(`${name}: Node ${process.versions.node} is too old; install ${needed.join('.')} or later`);
  }
  const compiled = new URL(`../dist/cli/${name}.js`, import.meta.url);
  if (!existsSync(compiled)) return stop(`${name}: not compiled; run npm run build`);
  process.setSourceMapsEnabled(true);
  const { runCommand } = await import(new URL('../dist/cli/command.js', import.meta.url).href);
  await runCommand(name, async (argv) => {
    const { main } = await import(compiled.href);
    await main(argv);
  });
}
