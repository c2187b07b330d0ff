import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMap, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import { ConfigError, isSystemError } from '../errors.js';
import type { ConfigValue } from './literal.js';

/** One option as a file states it. */
export interface FileEntry {
  readonly name: string;
  readonly value: ConfigValue;
  /** 1-based line of the key. */
  readonly line: number;
}

/** The folder of package.json, also from the compiled files in dist/. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder)
      throw new ConfigError('package.json: not found above the compiled files; reinstall');
    folder = parent;
  }
  return folder;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = isSystemError(error) ? error.code : undefined;
    if (code === 'ENOENT') throw new ConfigError(`${path}: no such file; check the path in --config_files`);
    if (code === 'EISDIR') throw new ConfigError(`${path}: is a folder; give a YAML file`);
    throw error;
  }
}

function toConfigValue(value: unknown, where: string): ConfigValue {
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map((item: unknown) => toConfigValue(item, where));
  if (value instanceof Map) {
    const entries = [...value].map(([key, item]) => [String(key), toConfigValue(item, where)] as const);
    return Object.fromEntries(entries);
  }
  // Dates, binaries and sets of YAML 1.1 land here.
  throw new ConfigError(
    `${where}: neither a number, a text, a list nor a dictionary; quote it to make it a text`,
  );
}

/** PyYAML reads YAML 1.1; its `1e-3` is a float in RecBole's loader, and in this one. */
function parseYaml(source: string, path: string, lines: LineCounter): Document.Parsed {
  const document = parseDocument(source, { version: '1.1', lineCounter: lines, prettyErrors: false });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    const { line } = lines.linePos(problem.pos[0]);
    throw new ConfigError(`${path}:${line}: not YAML: ${problem.message.split('\n')[0]}; correct this line`);
  }
  return document;
}

/**
 * The top-level entries of a YAML file in order; an empty file has none. Throws ConfigError with path and
 * line.
 */
export function readConfigFile(path: string): readonly FileEntry[] {
  const lines = new LineCounter();
  const document = parseYaml(readText(path), path, lines);
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null)) return [];
  if (!isMap(contents))
    throw new ConfigError(`${path}: not a list of options; write one "name: value" a line`);
  // maxAliasCount keeps a file of nested aliases from filling the memory.
  const values: unknown = document.toJS({ mapAsMap: true, maxAliasCount: 100 });
  if (!(values instanceof Map)) return [];
  const offsets = new Map(
    contents.items.map(({ key }) => [String(key), isScalar(key) ? key.range?.[0] : undefined]),
  );
  return [...values].map(([key, value]) => {
    const name = String(key);
    const { line } = lines.linePos(offsets.get(name) ?? 0);
    return { name, line, value: toConfigValue(value, `${path}:${line}: ${name}`) };
  });
}

/**
 * The property file that comes with the program, and the user's own beside the data; only those that exist.
 */
export function propertyFiles(dataset: string, dataPath: string): readonly string[] {
  const files = [
    join(packageRoot(), 'data', 'properties', `${dataset}.yaml`),
    join(dataPath, dataset, `${dataset}.yaml`),
  ];
  return files.filter((file) => existsSync(file));
}

/** Names of data sets that have a property file or a folder, sorted. */
export function knownDatasets(dataPath: string): readonly string[] {
  const names = new Set(
    list(join(packageRoot(), 'data', 'properties'))
      .filter((file) => file.endsWith('.yaml'))
      .map((file) => file.slice(0, -'.yaml'.length)),
  );
  for (const name of list(dataPath)) if (existsSync(join(dataPath, name, `${name}.inter`))) names.add(name);
  return [...names].sort();
}

function list(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
