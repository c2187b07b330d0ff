/**
 * The software Vulkan driver that comes with the optional npm package @sparticuz/chromium: unpack it once into a
 * cache directory, and make Dawn use it. Nothing of the system is needed, not even a Vulkan loader.
 */
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { brotliDecompressSync } from 'node:zlib';

const loaderFile = 'libvulkan.so.1';
const manifestFile = 'vk_swiftshader_icd.json';
const driverFiles = [loaderFile, 'libvk_swiftshader.so', manifestFile];

/** RTLD_NODELETE of glibc, which Node's constants leave out: the library stays mapped when Node rejects it. */
const keepMapped = 0x1000;

/** Both names of the variable with which Vulkan's loader is told which drivers to use; the second is the newer one. */
export const driverVariables = ['VK_ICD_FILENAMES', 'VK_DRIVER_FILES'] as const;

/** Where the package keeps the driver, with its version; undefined if it is not installed or has none for this machine. */
function archive(): { readonly path: string; readonly version: string } | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  try {
    const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium');
    const root = join(dirname(entry), '..', '..');
    const path = join(root, 'bin', 'swiftshader.tar.br');
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return existsSync(path) ? { path, version } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the bundled driver can be used here: Linux on x64 with @sparticuz/chromium installed. */
export function hasSwiftshader(): boolean {
  return archive() !== undefined;
}

/** Regular files of a tar archive by base name. Long-name extensions are not read: the names here are short. */
export function untar(tar: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const text = (at: number, length: number) =>
    tar.toString('latin1', at, at + length).split('\0', 1)[0] ?? '';
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0;) {
    const bytes = Number.parseInt(text(at + 124, 12), 8);
    if (!(at + 512 + bytes <= tar.length))
      throw new Error(`untar: the archive is cut off at byte ${tar.length}`);
    const type = text(at + 156, 1);
    if (type === '0' || type === '')
      files.set(basename(text(at, 100)), tar.subarray(at + 512, at + 512 + bytes));
    at += 512 + Math.ceil(bytes / 512) * 512;
  }
  return files;
}

/** Writes the driver's files to `folder`, which appears complete or not at all, also with several processes at it. */
function unpack(path: string, folder: string): void {
  mkdirSync(dirname(folder), { recursive: true });
  const files = untar(brotliDecompressSync(readFileSync(path)));
  const partial = mkdtempSync(`${folder}.`);
  try {
    for (const name of driverFiles) {
      const content = files.get(name);
      if (!content) throw new Error(`${path} holds no ${name}`);
      writeFileSync(join(partial, name), content, { mode: 0o755 });
    }
    chmodSync(partial, 0o755);
    renameSync(partial, folder);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    // Another process was first: its copy is as good.
    if (!existsSync(join(folder, manifestFile))) throw error;
  }
}

/** Where the driver may be kept: beside the installed packages, else in a folder of this user's own. */
const cacheFolders: readonly (() => string)[] = [
  () => fileURLToPath(new URL('../../node_modules/.cache/ctr-webgpu', import.meta.url)),
  privateTemporaryFolder,
];

/** A folder in the temporary one, where others can write too: it must be ours alone, as code is loaded from it. */
function privateTemporaryFolder(): string {
  const user = process.getuid?.() ?? 0;
  const folder = join(tmpdir(), `ctr-webgpu-${user}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== user || (found.mode & 0o022) !== 0) {
    throw new Error(`${folder} belongs to someone else or others can write to it`);
  }
  return folder;
}

/** The folder with the unpacked driver, in the first of `caches` that can be used. Throws if none can. */
export function swiftshaderFolder(caches: readonly (() => string)[] = cacheFolders): string {
  const source = archive();
  if (!source) throw new Error('@sparticuz/chromium is not installed');
  const failures: string[] = [];
  for (const cache of caches) {
    try {
      const folder = join(cache(), `swiftshader-${source.version}`);
      if (!existsSync(join(folder, manifestFile))) unpack(source.path, folder);
      return folder;
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
  throw new Error(`no folder to unpack it to: ${failures.join('; ')}`);
}

/** Maps a Vulkan loader into the process so that Dawn's own search for libvulkan.so.1 finds it. */
function mapLoader(path: string): void {
  try {
    process.dlopen(
      { exports: {} },
      path,
      constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_GLOBAL | keepMapped,
    );
  } catch (error) {
    // It is no Node addon, so Node always complains; only a failure of the dynamic linker counts.
    if (!String(error).includes('did not self-register')) throw error;
  }
}

/** Whether the system's dynamic linker finds a Vulkan loader. Dawn would find the same, but complain on stderr if not. */
export function hasLoader(): boolean {
  try {
    mapLoader(loaderFile);
    return true;
  } catch {
    return false;
  }
}

/**
 * Runs `body` in a state in which Vulkan's loader offers the bundled driver only. Only for synchronous work: the
 * environment is back to what it was afterwards. Throws on a worker, whose process.env is a copy that C does not see.
 */
export function withSwiftshader<T>(body: () => T): T {
  if (!isMainThread) throw new Error('it can be loaded on the main thread only');
  const folder = swiftshaderFolder();
  const before = driverVariables.map((name) => [name, process.env[name]] as const);
  for (const name of driverVariables) process.env[name] = join(folder, manifestFile);
  try {
    mapLoader(join(folder, loaderFile));
    return body();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}
