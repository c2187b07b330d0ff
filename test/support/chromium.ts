import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'chrome'];

function runs(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A Chromium: CHROME_PATH, or one in PATH; undefined if there is none. */
export function findChromium(): string | undefined {
  const own = process.env.CHROME_PATH;
  const folders = (process.env.PATH ?? '').split(delimiter);
  const inPath = folders.flatMap((folder) => names.map((name) => join(folder, name)));
  return [...(own ? [own] : []), ...inPath].find(runs);
}

/** What a page came to. */
export interface Shown {
  readonly dom: string;
  /** Lines that the page, or the browser about it, wrote on its console. */
  readonly console: readonly string[];
}

/** Opens a page of this machine without a window, `width` wide, as a reader of light or dark pages. */
export function open(chromium: string, page: string, width: number, theme: 'light' | 'dark'): Promise<Shown> {
  const flags = [
    '--headless',
    '--disable-gpu',
    '--no-sandbox', // or it refuses to run as root, as in a container
    '--enable-logging=stderr',
    `--window-size=${width},900`,
    `--blink-settings=preferredColorScheme=${theme === 'dark' ? 0 : 1}`,
    '--dump-dom',
  ];
  return new Promise((done) => {
    const child = spawn(chromium, [...flags, pathToFileURL(page).href], { timeout: 60_000 });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.on('close', () => {
      done({ dom: out, console: err.split('\n').filter((line) => line.includes('CONSOLE')) });
    });
  });
}
