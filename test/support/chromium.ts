import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync } from 'node:fs';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';
import { untar } from '../../engine/swiftshader.js';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'chrome'];

function runs(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A Chromium: CHROME_PATH, one in PATH, or that of a development dependency; undefined if there is none. */
export function findChromium(): string | undefined {
  const own = process.env.CHROME_PATH;
  const folders = (process.env.PATH ?? '').split(delimiter);
  const inPath = folders.flatMap((folder) => names.map((name) => join(folder, name)));
  return [...(own ? [own] : []), ...inPath].find(runs) ?? bundled();
}

const cache = resolve('node_modules', '.cache', 'ctr-webgpu', 'chromium');

/** The Chromium that brings SwiftShader along, unpacked once with the libraries that it needs; for Linux on x64. */
function bundled(): string | undefined {
  const bin = resolve('node_modules', '@sparticuz', 'chromium', 'bin');
  if (process.platform !== 'linux' || process.arch !== 'x64' || !existsSync(bin)) return undefined;
  if (!existsSync(cache)) {
    mkdirSync(join(cache, '..'), { recursive: true });
    const partial = mkdtempSync(`${cache}.`);
    const read = (name: string) => brotliDecompressSync(readFileSync(join(bin, name)));
    const files = new Map([...untar(read('al2023.tar.br')), ['chromium', read('chromium.br')] as const]);
    for (const [name, content] of files) writeFileSync(join(partial, name), content, { mode: 0o755 });
    renameSync(partial, cache);
  }
  return join(cache, 'chromium');
}

/** What a page came to. */
export interface Shown {
  readonly dom: string;
  /** What the page, or the browser about it, wrote on its console. */
  readonly console: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;
type Message = Fields & { readonly id?: number; readonly method?: string; readonly params?: Fields };

/** Speaks the DevTools protocol with a browser through its pipes; `heard` is told events. */
function talk(child: ChildProcess, heard: (method: string, params: Fields) => void) {
  const [, , , input, output] = child.stdio as unknown as [null, null, null, Writable, Readable];
  const waiting = new Map<number, { done: (result: Fields) => void; fail: (error: Error) => void }>();
  let [next, rest] = [1, ''];
  const took = ({ id = 0, method, params = {}, result, error }: Message) => {
    if (method !== undefined) return heard(method, params);
    const asked = waiting.get(id);
    if (error === undefined) asked?.done(result as Fields);
    else asked?.fail(new Error(JSON.stringify(error)));
  };
  output.setEncoding('utf8').on('data', (text: string) => {
    const messages = (rest + text).split('\0');
    rest = messages.pop() ?? '';
    for (const message of messages) took(JSON.parse(message) as Message);
  });
  input.on('error', () => {}); // told by the end of the process
  child.on('close', () => {
    for (const { fail } of waiting.values()) fail(new Error('the browser has ended'));
  });
  return (method: string, params: Fields = {}, sessionId?: unknown): Promise<Fields> =>
    new Promise((done, fail) => {
      const id = next++;
      waiting.set(id, { done, fail });
      input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
}

const flags = [
  '--headless',
  '--disable-gpu',
  '--no-zygote',
  '--no-sandbox', // or it refuses to run as root, as in a container
  '--remote-debugging-pipe',
];

/** Opens a page of this machine without a window, `width` wide, as a reader of light or dark pages. */
export async function open(
  chromium: string,
  page: string,
  width: number,
  theme: 'light' | 'dark',
): Promise<Shown> {
  const profile = mkdtempSync(join(tmpdir(), 'chromium-'));
  const libraries = chromium.startsWith(cache) ? { LD_LIBRARY_PATH: cache } : {};
  const child = spawn(chromium, [...flags, `--user-data-dir=${profile}`], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...libraries },
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  const gone = new Promise((done) => child.on('close', done));
  const said: string[] = [];
  let loaded = () => {};
  const isLoaded = new Promise<void>((done) => (loaded = done));
  const send = talk(child, (method, params) => {
    if (method === 'Page.loadEventFired') loaded();
    if (['Runtime.consoleAPICalled', 'Runtime.exceptionThrown', 'Log.entryAdded'].includes(method))
      said.push(JSON.stringify(params));
  });
  try {
    const { targetId } = await send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true });
    const ask = (method: string, params: Fields = {}) => send(method, params, sessionId);
    for (const domain of ['Page', 'Runtime', 'Log']) await ask(`${domain}.enable`);
    const media = { features: [{ name: 'prefers-color-scheme', value: theme }] };
    await ask('Emulation.setEmulatedMedia', media);
    const metrics = { width, height: 900, deviceScaleFactor: 1, mobile: false };
    await ask('Emulation.setDeviceMetricsOverride', metrics);
    await ask('Page.navigate', { url: pathToFileURL(page).href });
    await Promise.race([isLoaded, gone]);
    const expression = 'document.documentElement.outerHTML';
    const { result } = (await ask('Runtime.evaluate', { expression })) as { result: { value: string } };
    return { dom: result.value, console: said };
  } finally {
    child.kill('SIGKILL');
    await gone;
    rmSync(profile, { recursive: true, force: true });
  }
}
