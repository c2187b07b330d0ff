/**
 * The adapters that Dawn offers: GPUs, and software Vulkan of the system or the bundled one. With adapter.ts,
 * swiftshader.ts and two files of cpu/ the only part of the engine that knows Node.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { driverVariables, hasLoader, hasSwiftshader, withSwiftshader } from './swiftshader.js';

/** An adapter that Dawn accepts. */
export interface DawnAdapter {
  readonly adapter: GPUAdapter;
  /** For people: `nvidia-h100 (NVIDIA: 570.86)`, `llvmpipe: Mesa 25.0.7 (LLVM 15.0.6)`. */
  readonly name: string;
  readonly kind: 'gpu' | 'software';
  readonly origin: 'system' | 'bundled';
  /** 'vulkan', 'metal', 'd3d12' or 'null'. */
  readonly backend: string;
  /** Dawn's instance. It stays referenced from here on: when it is collected, Dawn's threads die. */
  readonly instance: object;
}

/** Dawn's toggles by name, for measurements: `{ enable: ['disable_robustness'] }`. Timestamps are exact in any case. */
export interface Toggles {
  readonly enable?: readonly string[];
  readonly disable?: readonly string[];
}

/** No adapter can be had; the message says what was found and what to install. */
export class AdapterError extends Error {
  override readonly name = 'AdapterError';
}

const backends: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'vulkan',
  darwin: 'metal',
  win32: 'd3d12',
};
const backend = backends[process.platform] ?? 'vulkan';

/** Makes an instance of Dawn with these options. */
export type Create = (options: string[]) => GPU;

/**
 * Every instance in use. When Dawn's instance is collected its threads die, with a crash if a device, a running dispatch
 * or a pending map still needs them; nothing can tell when that is over, so they live as long as the process. An instance
 * does not keep the process alive.
 */
const instances = new Set<GPU>();

/** Loads Dawn, and WebGPU's constants (`GPUBufferUsage`, …) into the global scope, where a browser has them. */
export async function loadDawn(): Promise<Create> {
  try {
    const { create, globals } = await import('webgpu');
    Object.assign(globalThis, globals);
    return create;
  } catch (error) {
    const reason = (error as Error).message.split('\n', 1)[0];
    throw new AdapterError(
      `adapter: the package webgpu does not load on ${process.platform} ${process.arch} (${reason}); ` +
        'run npm ci again, and see whether it has a binary for this system',
    );
  }
}

function toggleFlags({ enable = [], disable = [] }: Toggles): string[] {
  // Timestamps count in steps of 65.536 µs otherwise, which is longer than most of our kernels.
  const disabled = ['timestamp_quantization', ...disable];
  return [
    `disable-dawn-features=${disabled.join(',')}`,
    ...(enable.length > 0 ? [`enable-dawn-features=${enable.join(',')}`] : []),
  ];
}

function describe(
  instance: GPU,
  adapter: GPUAdapter,
  origin: DawnAdapter['origin'],
  on = backend,
): DawnAdapter {
  instances.add(instance);
  const { device, description, isFallbackAdapter } = adapter.info;
  const model = device.replace(/^-|-$/g, '');
  const kind = isFallbackAdapter || on === 'null' ? 'software' : 'gpu';
  // A software driver's description names it already; a GPU's is that of the driver only.
  const name = kind === 'software' || !model ? description || model : `${model} (${description})`;
  return { adapter, name, kind, origin, backend: on, instance };
}

/** Whether a Vulkan driver is installed at all: Dawn says nothing helpful, but a lot, on stderr if there is none. */
export function hasSystemDriver(): boolean {
  if (process.platform !== 'linux') return true;
  if (!hasLoader()) return false;
  const { env } = process;
  if (driverVariables.some((name) => env[name]) || env.VK_ADD_DRIVER_FILES) return true;
  const folders = [
    env.XDG_CONFIG_HOME ?? join(env.HOME ?? '/', '.config'),
    env.XDG_DATA_HOME ?? join(env.HOME ?? '/', '.local', 'share'),
    ...(env.XDG_CONFIG_DIRS ?? '/etc/xdg').split(delimiter),
    ...(env.XDG_DATA_DIRS ?? '/usr/local/share:/usr/share').split(delimiter),
    ...['/etc', '/usr/local/etc', '/usr/local/share', '/usr/share', '/run/opengl-driver/share'],
  ];
  return folders.some((folder) => {
    try {
      return readdirSync(join(folder, 'vulkan', 'icd.d')).some((file) => file.endsWith('.json'));
    } catch {
      return false;
    }
  });
}

/** The system's best adapter, by Dawn's order: discrete GPU, integrated GPU, software. */
export async function bestSystemAdapter(create: Create, toggles: Toggles): Promise<DawnAdapter | undefined> {
  if (!hasSystemDriver()) return undefined;
  const instance = create([`backend=${backend}`, ...toggleFlags(toggles)]);
  const adapter = await instance.requestAdapter({ powerPreference: 'high-performance' });
  return adapter ? describe(instance, adapter, 'system') : undefined;
}

/** All of the system's adapters. WebGPU has no call for it, but Dawn lists their names when asked for a wrong one. */
export async function systemAdapters(create: Create, toggles: Toggles): Promise<DawnAdapter[]> {
  if (!hasSystemDriver()) return [];
  let listing = '';
  try {
    await create([`backend=${backend}`, 'adapter=none of them']).requestAdapter();
  } catch (error) {
    listing = String(error);
  }
  const names = [...listing.matchAll(/^ \* backend: '.*', name: '(.*)'$/gm)].map(([, name]) => name);
  const found: DawnAdapter[] = [];
  for (const name of new Set(names)) {
    const instance = create([`backend=${backend}`, `adapter=${name}`, ...toggleFlags(toggles)]);
    const adapter = await instance.requestAdapter();
    if (adapter) found.push(describe(instance, adapter, 'system'));
  }
  return found;
}

/** The adapter of the bundled SwiftShader, if that is installed. Throws AdapterError if it does not load. */
export async function bundledAdapter(create: Create, toggles: Toggles): Promise<DawnAdapter | undefined> {
  if (!hasSwiftshader()) return undefined;
  try {
    // Dawn talks to the driver inside these two calls, not when their promise settles.
    const [instance, pending] = withSwiftshader(() => {
      const gpu = create([`backend=${backend}`, ...toggleFlags(toggles)]);
      return [gpu, gpu.requestAdapter()] as const;
    });
    const adapter = await pending;
    return adapter ? describe(instance, adapter, 'bundled') : undefined;
  } catch (error) {
    const reason = (error as Error).message;
    throw new AdapterError(`adapter: the bundled SwiftShader does not load (${reason}); ${installDriver()}`);
  }
}

/** Whether `part`, in lower case, is part of what an adapter is called. */
export function matches({ name, adapter: { info } }: DawnAdapter, part: string): boolean {
  return [name, info.device, info.description, info.vendor, info.architecture].some((text) =>
    text.toLowerCase().includes(part),
  );
}

/** The variable with which the user names drivers, if there is one. */
export const namedDrivers = () => driverVariables.find((name) => process.env[name]);

/** What to install for software Vulkan, by what this system is. */
export function installDriver(): string {
  if (process.platform !== 'linux') return 'update the graphics driver of this system';
  const packages: Readonly<Record<string, string>> = {
    ubuntu: 'apt-get install mesa-vulkan-drivers',
    debian: 'apt-get install mesa-vulkan-drivers (in Debian 12 that of bookworm-backports)',
    fedora: 'dnf install mesa-vulkan-drivers',
    arch: 'pacman -S vulkan-swrast',
  };
  const here = systemNames().find((id) => id in packages);
  const driver = here ? packages[here] : 'the package with a Vulkan driver such as Mesa’s lavapipe';
  return process.arch === 'x64' && !hasSwiftshader()
    ? `install the development dependencies with npm ci, which bring SwiftShader, or a Vulkan driver: ${driver}`
    : `install a Vulkan driver: ${driver}`;
}

/** The distribution and those it is like: ['linuxmint', 'ubuntu', 'debian']. */
function systemNames(): string[] {
  try {
    const text = readFileSync('/etc/os-release', 'utf8');
    const lines = ['ID', 'ID_LIKE'].map((key) => new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1] ?? '');
    return lines.join(' ').replaceAll('"', '').split(' ');
  } catch {
    return [];
  }
}

/** Dawn's null backend: validates shaders, bind groups and limits, executes nothing. */
export async function nullAdapter(toggles: Toggles = {}): Promise<DawnAdapter> {
  const create = await loadDawn();
  const instance = create(['backend=null', ...toggleFlags(toggles)]);
  const adapter = await instance.requestAdapter();
  if (!adapter) throw new AdapterError('adapter: this build of Dawn has no null backend; run npm ci again');
  return describe(instance, adapter, 'bundled', 'null');
}
