/**
 * The software Vulkan driver that comes with the optional npm package @sparticuz/chromium: unpack it once into a
 * cache directory, and make Dawn use it. Nothing of the system is needed, not even a Vulkan loader.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { lstatSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants, tmpdir, userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
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
  mkdirSync(dirname(folder), { recursive: true, mode: 0o700 });
  const files = untar(brotliDecompressSync(readFileSync(path)));
  const partial = mkdtempSync(`${folder}.`);
  try {
    for (const name of driverFiles) {
      const content = files.get(name);
      if (!content) throw new Error(`swiftshader: ${path} holds no ${name}; reinstall @sparticuz/chromium`);
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

/** Candidates for the cache: beside the installed packages, else a folder of this user's own in the temporary one. */
function cacheFolders(): string[] {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  return [
    join(root, 'node_modules', '.cache', 'ctr-webgpu'),
    join(tmpdir(), `ctr-webgpu-${userInfo().uid}`), // the owner is checked: others can write to the parent
  ];
}

/** A library in a folder that another user can write to must not be loaded. */
function isOurs(folder: string): boolean {
  if (!existsSync(folder)) return true;
  const { uid, mode } = lstatSync(folder);
  return uid === userInfo().uid && (mode & 0o022) === 0;
}

/** The folder with the unpacked driver; throws if no folder can be written. */
export function swiftshaderFolder(folders: readonly string[] = cacheFolders()): string {
  const source = archive();
  if (!source)
    throw new Error('swiftshader: @sparticuz/chromium is not installed; run npm install @sparticuz/chromium');
  const name = `swiftshader-${source.version}`;
  const unpacked = folders.find((cache) => existsSync(join(cache, name, manifestFile)) && isOurs(cache));
  if (unpacked) return join(unpacked, name);
  const failures: string[] = [];
  for (const cache of folders) {
    try {
      if (!isOurs(cache)) throw new Error(`${cache} belongs to or can be written by someone else`);
      unpack(source.path, join(cache, name));
      return join(cache, name);
    } catch (error) {
      failures.push(String(error));
    }
  }
  throw new Error(
    `swiftshader: no cache folder could be written (${failures.join('; ')}); make one of them writable`,
  );
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
 * environment is back to what it was afterwards. Works on the main thread only, as workers have a copy of the environment.
 */
export function withSwiftshader<T>(body: () => T): T {
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
