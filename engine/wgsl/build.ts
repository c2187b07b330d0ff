/**
 * Compiles every shader for the CPU target: dist/shaders/<name>.wasm, and <name>.check.wasm, which stops at indices
 * outside their buffers. One in engine/cpu takes the place of that of the same name in shaders/. Part of `npm run build`.
 */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KernelError } from '../kernel.js';
import { compileShader } from './compile.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

function shaders(): string[] {
  const found = ['shaders', 'engine/cpu', 'bench'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((file) => file.endsWith('.wgsl'))
      .map((file) => [file, join(root, folder, file)] as const),
  );
  return [...new Map(found).values()];
}

const builtins = readFileSync(join(root, 'engine/wgsl/builtins.wgsl'), 'utf8');
const target = join(root, 'dist/shaders');

function build(file: string): void {
  const name = basename(file, '.wgsl');
  const source = readFileSync(file, 'utf8');
  for (const checked of [false, true]) {
    const module = compileShader(name, source, { checked, builtins });
    writeFileSync(join(target, `${name}${checked ? '.check' : ''}.wasm`), module);
  }
}

mkdirSync(target, { recursive: true });
for (const file of shaders()) {
  try {
    build(file);
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
