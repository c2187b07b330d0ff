import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Root of the repository, with a slash at its end. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));

/** A source file. */
export interface Source {
  /** From the root, with slashes: `engine/ops/linear.ts`. */
  readonly path: string;
  readonly text: string;
}

/** Our files under `folder` whose names end in `ending`, in the order of their paths. */
export function sourcesIn(folder: string, ending: string): Source[] {
  return readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending) && !name.includes('node_modules'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .sort()
    .map((path) => ({ path, text: readFileSync(`${root}${path}`, 'utf8') }));
}

const named = (folder: string): (readonly [string, string])[] =>
  sourcesIn(folder, '.wgsl').map(({ path, text }) => [path.slice(folder.length + 1, -'.wgsl'.length), text]);

/** Shaders by name. */
export const shaderSources = (): Map<string, string> => new Map(named('shaders'));

/** Shaders by name that the CPU target has in place of those of the same name. */
export function cpuTwins(): Map<string, string> {
  const shaders = shaderSources();
  return new Map(named('engine/cpu').filter(([name]) => shaders.has(name)));
}
