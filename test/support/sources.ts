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

/** Shaders by name. */
export const shaderSources = (): Map<string, string> =>
  new Map(
    sourcesIn('shaders', '.wgsl').map(({ path, text }) => [path.replace(/^shaders\/|\.wgsl$/g, ''), text]),
  );
