import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** A transfer that did not come to its end; what came of it is kept and gone on with. */
export class FetchError extends Error {
  override readonly name = 'FetchError';

  constructor(
    message: string,
    /** Trying again at once may help. */
    readonly passing: boolean,
  ) {
    super(message);
  }
}

/** What is to be fetched, and to where. */
export interface FetchRequest {
  readonly url: string;
  readonly path: string;
  readonly note: (line: string) => void;
  readonly progress: (share: number) => void;
  /** Milliseconds before the second try; twice that before the third. */
  readonly pauseMs?: number;
}

const TRIES = 3;

/**
 * Fetches a file to `<path>.part`, from where an earlier transfer of the same file ended, and returns that name: the
 * caller renames it once it has been verified. Throws FetchError.
 */
export async function fetchPart(request: FetchRequest): Promise<string> {
  await mkdir(dirname(request.path), { recursive: true });
  for (let tried = 1; ; tried++) {
    try {
      return await transfer(request);
    } catch (error) {
      if (!(error instanceof FetchError) || !error.passing || tried === TRIES) throw error;
      request.note(`${request.url}: ${error.message}; tries again`);
      await wait((request.pauseMs ?? 1000) * tried);
    }
  }
}

/** Takes a verified part under its own name. */
export async function keepPart(part: string, path: string): Promise<void> {
  await rename(part, path);
  await rm(`${part}.json`, { force: true });
}

/** Forgets a part that turned out to be damaged. */
export async function dropPart(part: string): Promise<void> {
  await rm(part, { force: true });
  await rm(`${part}.json`, { force: true });
}

async function transfer({ url, path, note, progress }: FetchRequest): Promise<string> {
  const part = `${path}.part`;
  const begun = await begunPart(part, url);
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  // Without If-Range a file that has changed meanwhile would be glued to its old beginning.
  if (begun !== null) Object.assign(headers, { range: `bytes=${begun.bytes}-`, 'if-range': begun.tag });
  const response = await answer(url, headers);
  if (response.status === 416 && begun !== null) {
    await response.body?.cancel();
    await dropPart(part);
    throw new FetchError('what was fetched before is longer than the file', true);
  }
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    const passing = response.status >= 500 || response.status === 429;
    throw new FetchError(`the server says ${response.status} ${response.statusText}`.trimEnd(), passing);
  }
  const from = response.status === 206 ? (begun?.bytes ?? 0) : 0;
  if (from > 0) note(`${path}: goes on after ${from.toLocaleString('en-US')} bytes`);
  const tag = response.headers.get('etag') ?? response.headers.get('last-modified');
  await writeFile(`${part}.json`, JSON.stringify({ url, tag }));
  const length = response.headers.get('content-length');
  const total = length === null ? null : from + Number(length);
  await append(response.body, part, from, (bytes) => progress(total === null ? 0 : bytes / total));
  const { size } = await stat(part);
  if (total === null || size === total) return part;
  throw new FetchError(`${size} of ${total} bytes came`, true);
}

async function answer(url: string, headers: Record<string, string>): Promise<Response> {
  try {
    return await fetch(url, { headers });
  } catch (error) {
    throw new FetchError(reason(error), false);
  }
}

/** How much of the file is there, if the server can be asked for the rest of the very same. */
async function begunPart(part: string, url: string): Promise<{ bytes: number; tag: string } | null> {
  if (!existsSync(part)) return null;
  try {
    const state = JSON.parse(await readFile(`${part}.json`, 'utf8')) as { url?: unknown; tag?: unknown };
    const { size } = await stat(part);
    // A weak tag does not promise the same bytes.
    const isStrong = typeof state.tag === 'string' && !state.tag.startsWith('W/');
    return state.url === url && isStrong && size > 0 ? { bytes: size, tag: String(state.tag) } : null;
  } catch {
    // Nothing is known of the part: it is fetched from the start.
    return null;
  }
}

async function append(
  body: AsyncIterable<Uint8Array>,
  part: string,
  from: number,
  seen: (bytes: number) => void,
): Promise<void> {
  const file = await open(part, from > 0 ? 'r+' : 'w');
  let bytes = from;
  try {
    for await (const chunk of interrupted(body)) {
      await file.write(chunk, 0, chunk.length, bytes);
      seen((bytes += chunk.length));
    }
    await file.truncate(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The body; where the connection breaks, a FetchError. */
async function* interrupted(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw new FetchError(reason(error), true);
  }
}

/** fetch hides what happened in the cause of its error. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message;
}
