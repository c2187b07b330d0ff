/**
 * Finds the adapter to compute on: a real GPU, else a software Vulkan of the system that Dawn accepts, else the bundled
 * SwiftShader. With swiftshader.ts the only part of the engine that knows Node.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { driverVariables, hasLoader, hasSwiftshader, withSwiftshader } from './swiftshader.js';

/** 'auto' | 'gpu' | 'software' | part of an adapter's name, description or vendor, in any case. */
export type AdapterChoice = string;

/** An adapter that Dawn accepts. */
export interface FoundAdapter {
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

/** The variable that chooses an adapter where the command line does not. */
const choiceVariable = 'CTR_ADAPTER';
const backends: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'vulkan',
  darwin: 'metal',
  win32: 'd3d12',
};
const backend = backends[process.platform] ?? 'vulkan';

type Create = (options: string[]) => GPU;

/**
 * Every instance in use. When Dawn's instance is collected its threads die, with a crash if a device, a running dispatch
 * or a pending map still needs them; nothing can tell when that is over, so they live as long as the process. An instance
 * does not keep the process alive.
 */
const instances = new Set<GPU>();

/** Loads Dawn, and WebGPU's constants (`GPUBufferUsage`, …) into the global scope, where a browser has them. */
async function loadDawn(): Promise<Create> {
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
  origin: FoundAdapter['origin'],
  on = backend,
): FoundAdapter {
  instances.add(instance);
  const { device, description, isFallbackAdapter } = adapter.info;
  const model = device.replace(/^-|-$/g, '');
  const software = isFallbackAdapter || on === 'null';
  // A software driver's description names it already; a GPU's is that of the driver only.
  const name = software || !model ? description || model : `${model} (${description})`;
  return { adapter, name, kind: software ? 'software' : 'gpu', origin, backend: on, instance };
}

/** Whether a Vulkan driver is installed at all: Dawn says nothing helpful, but a lot, on stderr if there is none. */
function hasSystemDriver(): boolean {
  if (process.platform !== 'linux') return true;
  if (!hasLoader()) return false;
  const { env } = process;
  if (driverVariables.some((name) => env[name]) || env.VK_ADD_DRIVER_FILES) return true;
  const folders = [
    env.XDG_CONFIG_HOME ?? join(homedir(), '.config'),
    env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'),
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
async function bestSystemAdapter(create: Create, toggles: Toggles): Promise<FoundAdapter | undefined> {
  if (!hasSystemDriver()) return undefined;
  const instance = create([`backend=${backend}`, ...toggleFlags(toggles)]);
  const adapter = await instance.requestAdapter({ powerPreference: 'high-performance' });
  return adapter ? describe(instance, adapter, 'system') : undefined;
}

/** All of the system's adapters. WebGPU has no call for it, but Dawn lists their names when asked for a wrong one. */
async function systemAdapters(create: Create, toggles: Toggles): Promise<FoundAdapter[]> {
  if (!hasSystemDriver()) return [];
  let listing = '';
  try {
    await create([`backend=${backend}`, 'adapter=none of them']).requestAdapter();
  } catch (error) {
    listing = String(error);
  }
  const names = [...listing.matchAll(/^ \* backend: '.*', name: '(.*)'$/gm)].map(([, name]) => name);
  const found: FoundAdapter[] = [];
  for (const name of new Set(names)) {
    const instance = create([`backend=${backend}`, `adapter=${name}`, ...toggleFlags(toggles)]);
    const adapter = await instance.requestAdapter();
    if (adapter) found.push(describe(instance, adapter, 'system'));
  }
  return found;
}

async function bundledAdapter(create: Create, toggles: Toggles): Promise<FoundAdapter | undefined> {
  if (!hasSwiftshader()) return undefined;
  // Dawn talks to the driver inside these two calls, not when their promise settles.
  const [instance, pending] = withSwiftshader(() => {
    const gpu = create([`backend=${backend}`, ...toggleFlags(toggles)]);
    return [gpu, gpu.requestAdapter()] as const;
  });
  const adapter = await pending;
  return adapter ? describe(instance, adapter, 'bundled') : undefined;
}

/** Every adapter that can be used here, the system's in Dawn's order, then the bundled one. */
export async function listAdapters(toggles: Toggles = {}): Promise<FoundAdapter[]> {
  const create = await loadDawn();
  const bundled = await bundledAdapter(create, toggles);
  return [...(await systemAdapters(create, toggles)), ...(bundled ? [bundled] : [])];
}

function matches({ name, adapter: { info } }: FoundAdapter, part: string): boolean {
  return [name, info.device, info.description, info.vendor, info.architecture].some((text) =>
    text.toLowerCase().includes(part.toLowerCase()),
  );
}

async function choose(create: Create, choice: string, toggles: Toggles): Promise<FoundAdapter | undefined> {
  if (choice === 'auto' || choice === 'gpu' || choice === 'software') {
    const best = await bestSystemAdapter(create, toggles);
    if (best && (choice === 'auto' || best.kind === choice)) return best;
    if (choice === 'gpu') return undefined;
    if (choice === 'auto' && driverVariables.some((name) => process.env[name])) return undefined;
    const software = best && (await systemAdapters(create, toggles)).find(({ kind }) => kind === 'software');
    return software ?? bundledAdapter(create, toggles);
  }
  const found = (await systemAdapters(create, toggles)).find((one) => matches(one, choice));
  if (found) return found;
  const bundled = await bundledAdapter(create, toggles);
  return bundled && matches(bundled, choice) ? bundled : undefined;
}

/**
 * The adapter for a choice; 'auto' takes that of the variable CTR_ADAPTER if it is set. Drivers that the user names in
 * VK_DRIVER_FILES or VK_ICD_FILENAMES count as the system's, and 'auto' looks at no others then.
 * @throws AdapterError if there is none, naming what there is and what to install.
 */
export async function findAdapter(choice: AdapterChoice, toggles: Toggles = {}): Promise<FoundAdapter> {
  const create = await loadDawn();
  const wanted = choice === 'auto' ? process.env[choiceVariable] || 'auto' : choice;
  const found = await choose(create, wanted, toggles);
  if (found) return found;
  throw await notFound(wanted === choice ? `--adapter=${choice}` : `${choiceVariable}=${wanted}`, wanted);
}

/** What to install, by what this system is. */
export function remedy(): string {
  if (process.platform !== 'linux') return 'update the graphics driver of this system';
  const packages: Record<string, string> = {
    debian: 'apt-get install mesa-vulkan-drivers (Debian 12: from bookworm-backports)',
    ubuntu: 'apt-get install mesa-vulkan-drivers',
    fedora: 'dnf install mesa-vulkan-drivers',
    arch: 'pacman -S vulkan-swrast',
  };
  const system = osRelease();
  const known = system.map((id) => packages[id]).find((line) => line !== undefined);
  const bundled = process.arch === 'x64' ? 'run npm install @sparticuz/chromium, or ' : '';
  return `${bundled}install a Vulkan driver: ${known ?? Object.values(packages).slice(1).join(', ')}`;
}

/** The distribution and what it is like: ['linuxmint', 'ubuntu', 'debian']. */
function osRelease(): string[] {
  try {
    const text = readFileSync('/etc/os-release', 'utf8');
    return ['ID', 'ID_LIKE'].flatMap((key) => {
      const [, value = ''] = new RegExp(`^${key}="?([^"\n]*)"?$`, 'm').exec(text) ?? [];
      return value.split(' ');
    });
  } catch {
    return [];
  }
}

async function notFound(where: string, choice: string): Promise<AdapterError> {
  const have = (await listAdapters()).map(({ name, kind }) => `"${name}" (${kind})`);
  const variable = driverVariables.find((name) => process.env[name]);
  if (choice === 'auto' && variable) {
    return new AdapterError(
      `${where}: the driver of ${variable}=${process.env[variable]} gives no adapter that Dawn accepts; ` +
        'correct or unset it',
    );
  }
  if (have.length === 0) return new AdapterError(`${where}: there is no WebGPU adapter here; ${remedy()}`);
  return new AdapterError(
    `${where}: no such adapter, have ${have.join(', ')}; choose auto or part of one of these names`,
  );
}

/** Dawn's null backend: validates shaders, bind groups and limits, executes nothing. */
export async function nullAdapter(toggles: Toggles = {}): Promise<FoundAdapter> {
  const create = await loadDawn();
  const instance = create(['backend=null', ...toggleFlags(toggles)]);
  const adapter = await instance.requestAdapter();
  if (!adapter) throw new AdapterError('adapter: this build of Dawn has no null backend; run npm ci again');
  return describe(instance, adapter, 'bundled', 'null');
}

/** Text of `shaders/<name>.wgsl`. */
export function readShader(name: string): string {
  return readFileSync(new URL(`../../shaders/${name}.wgsl`, import.meta.url), 'utf8');
}
