/**
 * Finds the adapter to compute on: a real GPU, else a software Vulkan of the system that Dawn accepts, else the bundled
 * SwiftShader. With swiftshader.ts the only part of the engine that knows Node.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
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

const software = ({ kind }: FoundAdapter) => kind === 'software';

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
  const kind = isFallbackAdapter || on === 'null' ? 'software' : 'gpu';
  // A software driver's description names it already; a GPU's is that of the driver only.
  const name = kind === 'software' || !model ? description || model : `${model} (${description})`;
  return { adapter, name, kind, origin, backend: on, instance };
}

/** Whether a Vulkan driver is installed at all: Dawn says nothing helpful, but a lot, on stderr if there is none. */
function hasSystemDriver(): boolean {
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

/** Every adapter that can be used here: the system's in Dawn's order, then the bundled one. Throws AdapterError. */
export async function listAdapters(toggles: Toggles = {}): Promise<FoundAdapter[]> {
  const create = await loadDawn();
  const system = await systemAdapters(create, toggles);
  const bundled = await bundledAdapter(create, toggles);
  return bundled ? [...system, bundled] : system;
}

function matches({ name, adapter: { info } }: FoundAdapter, part: string): boolean {
  return [name, info.device, info.description, info.vendor, info.architecture].some((text) =>
    text.toLowerCase().includes(part),
  );
}

/** The variable with which the user names drivers, if there is one. */
const namedDrivers = () => driverVariables.find((name) => process.env[name]);

async function choose(create: Create, choice: string, toggles: Toggles): Promise<FoundAdapter | undefined> {
  if (choice === 'auto' || choice === 'gpu' || choice === 'software') {
    const best = await bestSystemAdapter(create, toggles);
    if (best && (choice === 'auto' || best.kind === choice)) return best;
    if (choice === 'gpu' || (choice === 'auto' && namedDrivers())) return undefined;
    // Behind a GPU there may be a software adapter still.
    const found = best && (await systemAdapters(create, toggles)).find(software);
    return found ?? bundledAdapter(create, toggles);
  }
  const found = (await systemAdapters(create, toggles)).find((one) => matches(one, choice));
  if (found) return found;
  const bundled = await bundledAdapter(create, toggles);
  return bundled && matches(bundled, choice) ? bundled : undefined;
}

/** What 'auto' and the variable CTR_ADAPTER come to, in lower case, and how to call it in a message. */
export function resolveChoice(choice: AdapterChoice): { readonly wanted: string; readonly where: string } {
  const variable = choice === 'auto' ? process.env[choiceVariable] : undefined;
  if (variable) return { wanted: variable.toLowerCase(), where: `${choiceVariable}=${variable}` };
  return { wanted: choice.toLowerCase() || 'auto', where: `--adapter=${choice}` };
}

/**
 * The adapter for a choice; 'auto' takes that of the variable CTR_ADAPTER if it is set. Drivers that the user names in
 * VK_DRIVER_FILES or VK_ICD_FILENAMES count as the system's, and 'auto' looks at no others then.
 * Throws AdapterError if there is none, naming what there is and what to install.
 */
export async function findAdapter(choice: AdapterChoice, toggles: Toggles = {}): Promise<FoundAdapter> {
  const create = await loadDawn();
  const { wanted, where } = resolveChoice(choice);
  const found = await choose(create, wanted, toggles);
  if (found) return found;
  throw new AdapterError(`${where}: ${notFound(wanted, wanted === 'auto' ? [] : await listAdapters())}`);
}

function notFound(wanted: string, have: readonly FoundAdapter[]): string {
  const variable = namedDrivers();
  if (wanted === 'auto' && variable) {
    return `${variable}=${process.env[variable]} gives no adapter that Dawn accepts; correct or unset it`;
  }
  if (have.length === 0) return `there is no adapter that Dawn accepts; ${installDriver()}`;
  const names = `have ${have.map(({ name, kind }) => `"${name}" (${kind})`).join(', ')}`;
  if (wanted === 'gpu')
    return `no GPU with a driver that Dawn accepts, ${names}; install its Vulkan driver, or choose auto`;
  if (wanted === 'software') return `no software adapter, ${names}; ${installDriver()}`;
  return `no such adapter, ${names}; choose auto or part of one of these names`;
}

/** What to install, by what this system is. */
function installDriver(): string {
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
    ? `run npm install @sparticuz/chromium, or install a Vulkan driver: ${driver}`
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

/** Bytes of `dist/shaders/<name>.wasm`, or of the kernels that check every index. */
export function readModule(name: string, checked: boolean): Promise<Uint8Array> {
  return readFile(new URL(`../shaders/${name}${checked ? '.check' : ''}.wasm`, import.meta.url));
}
