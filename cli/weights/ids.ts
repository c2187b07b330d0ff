import { readFile } from 'node:fs/promises';
import type { Schema } from '../../data/schema.js';
import { CheckpointError, type Checkpoint } from '../checkpoint.js';
import { Malformed, fields, list, record, text } from '../checkpoint/fields.js';
import { readSchema } from '../checkpoint/meta.js';
import { isSystemError } from '../errors.js';
import { atomicWrite } from '../files.js';

/** Which rows of the tables belong to which tokens. */
export interface IdMaps {
  readonly path: string;
  readonly schema: Schema;
  /** Field → tokens by id. */
  readonly vocabularies: ReadonlyMap<string, readonly string[]>;
}

/** The file of id maps that belongs to a file of weights: model.safetensors → model.ids.json. */
export const idsPath = (weights: string): string => `${weights.replace(/\.safetensors$/, '')}.ids.json`;

/**
 * Writes the id maps of a checkpoint: its fields with sizes and offsets, and the tokens of each field in the order of
 * their ids. The row of a token in the joint table is its id + the offset of its field.
 */
export async function writeIdMaps(path: string, { schema, vocabularies }: Checkpoint): Promise<void> {
  await atomicWrite(
    path,
    `${JSON.stringify({ schema, tokens: Object.fromEntries(vocabularies) }, null, 1)}\n`,
  );
}

/** The id maps in a file; null if there is none. Throws CheckpointError if it is not what writeIdMaps writes. */
export async function readIdMaps(path: string): Promise<IdMaps | null> {
  let json: string;
  try {
    json = await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return null;
    throw error;
  }
  try {
    const content = fields(JSON.parse(json), 'content');
    const tokens = record(content.tokens, 'tokens', (all, what) => list(all, what, text));
    return { path, schema: readSchema(content.schema), vocabularies: new Map(Object.entries(tokens)) };
  } catch (error) {
    if (!(error instanceof Malformed || error instanceof SyntaxError)) throw error;
    throw new CheckpointError(`ids ${path}: ${error.message}; export them again, or remove the file`);
  }
}
