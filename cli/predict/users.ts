import { readFile } from 'node:fs/promises';
import { DataError } from '../../data/errors.js';
import { ConfigError } from '../errors.js';
import type { Ids } from './vocabulary.js';

/**
 * The ids of the users that `--users` names, each once, in the order given: tokens with commas between them, `@file`
 * with one a line (a header `name:token` is passed over), or `all`. Throws ConfigError or DataError on one that the
 * model does not know, the system's error if the file cannot be read.
 */
export async function usersToServe(users: string, known: Ids): Promise<Uint32Array> {
  if (users === 'all') return Uint32Array.from(known.values());
  const chosen = users.startsWith('@')
    ? await fromFile(users.slice(1), known)
    : users
        .split(',')
        .filter((token) => token !== '')
        .map((token) => idOf(token, known, (message) => new ConfigError(`--users=${users}: ${message}`)));
  if (chosen.length === 0) throw new ConfigError(`--users=${users}: names nobody; give tokens, @file or all`);
  return Uint32Array.from(new Set(chosen));
}

async function fromFile(path: string, known: Ids): Promise<number[]> {
  const lines = (await readFile(path, 'utf8')).replace(/^\uFEFF/, '').split(/\r?\n/);
  return lines.flatMap((line, i) => {
    if (line === '' || (i === 0 && line.endsWith(':token') && !known.has(line))) return [];
    return [idOf(line, known, (message) => new DataError(message, path, i + 1))];
  });
}

function idOf(token: string, known: Ids, error: (message: string) => Error): number {
  const id = known.get(token);
  if (id === undefined) {
    throw error(`user "${token}" is not among the ${known.size} that the model knows; leave it out`);
  }
  return id;
}
