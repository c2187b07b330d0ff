/**
 * Finds what to compute on and opens it: a real GPU, else this machine's CPU with our own kernels. Software Vulkan is
 * there for those who ask for it.
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { HostKernels } from './cpu/host.js';
import { cpuModel, openCpu } from './cpu/open.js';
import {
  AdapterError,
  bestSystemAdapter,
  bundledAdapter,
  hasSystemDriver,
  installDriver,
  loadDawn,
  matches,
  namedDrivers,
  systemAdapters,
  type Create,
  type DawnAdapter,
  type Toggles,
} from './dawn.js';
import type { Device } from './device.js';

export { AdapterError, nullAdapter, type DawnAdapter, type Toggles } from './dawn.js';

/** 'auto' | 'gpu' | 'software' | 'cpu' | part of an adapter's name, description or vendor, in any case. */
export type AdapterChoice = string;

/** This machine's CPU, which runs the kernels as WebAssembly. It is always there. */
export interface CpuAdapter {
  /** For people: `CPU: AMD EPYC 7763`. */
  readonly name: string;
  readonly kind: 'cpu';
  /** Threads that run at once. */
  readonly cores: number;
}

/** Something to compute on. */
export type FoundAdapter = DawnAdapter | CpuAdapter;

/** The variable that chooses an adapter where the command line does not. */
const choiceVariable = 'CTR_ADAPTER';

/** The CPU target. */
export const cpuAdapter = (): CpuAdapter => ({
  name: `CPU: ${cpuModel()}`,
  kind: 'cpu',
  cores: availableParallelism(),
});

const software = ({ kind }: DawnAdapter) => kind === 'software';

/**
 * Everything that can be used here: the system's adapters in Dawn's order, the CPU, the bundled software Vulkan. Throws
 * AdapterError.
 */
export async function listAdapters(toggles: Toggles = {}): Promise<FoundAdapter[]> {
  const create = await loadDawn();
  const system = await systemAdapters(create, toggles);
  const bundled = await bundledAdapter(create, toggles);
  return [...system, cpuAdapter(), ...(bundled ? [bundled] : [])];
}

/** A GPU, or whatever the drivers offer that the user names; undefined if there is none. */
async function automatic(toggles: Toggles): Promise<DawnAdapter | undefined> {
  // Loading Dawn takes time, and without a driver it finds nothing.
  if (!hasSystemDriver()) return undefined;
  const named = namedDrivers() !== undefined;
  const create = await loadDawn().catch((error: unknown) => {
    if (named) throw error;
    return undefined;
  });
  const best = create && (await bestSystemAdapter(create, toggles));
  return named || best?.kind === 'gpu' ? best : undefined;
}

async function softwareAdapter(create: Create, toggles: Toggles): Promise<DawnAdapter | undefined> {
  const best = await bestSystemAdapter(create, toggles);
  if (best && software(best)) return best;
  // Behind a GPU there may be a software adapter still.
  const found = best && (await systemAdapters(create, toggles)).find(software);
  return found ?? bundledAdapter(create, toggles);
}

async function choose(choice: string, toggles: Toggles): Promise<FoundAdapter | undefined> {
  if (choice === 'cpu') return cpuAdapter();
  if (choice === 'auto') return (await automatic(toggles)) ?? (namedDrivers() ? undefined : cpuAdapter());
  const create = await loadDawn();
  if (choice === 'software') return softwareAdapter(create, toggles);
  if (choice === 'gpu') {
    const best = await bestSystemAdapter(create, toggles);
    return best?.kind === 'gpu' ? best : undefined;
  }
  const found = (await systemAdapters(create, toggles)).find((one) => matches(one, choice));
  if (found) return found;
  const cpu = cpuAdapter();
  if (cpu.name.toLowerCase().includes(choice)) return cpu;
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
 * The adapter for a choice; 'auto' takes that of the variable CTR_ADAPTER if it is set, else a GPU, else the CPU.
 * Drivers that the user names in VK_DRIVER_FILES or VK_ICD_FILENAMES count as the system's, and 'auto' takes the best
 * of what they offer, software too, and nothing else then. Throws AdapterError if there is none, naming what there is
 * and what to do.
 */
export async function findAdapter(choice: AdapterChoice, toggles: Toggles = {}): Promise<FoundAdapter> {
  const { wanted, where } = resolveChoice(choice);
  const found = await choose(wanted, toggles);
  if (found) return found;
  throw new AdapterError(`${where}: ${await notFound(wanted)}`);
}

async function notFound(wanted: string): Promise<string> {
  if (wanted === 'auto') {
    const variable = namedDrivers() ?? '';
    return `${variable}=${process.env[variable]} gives no adapter that Dawn accepts; correct or unset it`;
  }
  const names = (await listAdapters()).map(({ name, kind }) => `"${name}" (${kind})`);
  const have = `have ${names.join(', ')}`;
  if (wanted === 'gpu')
    return `no GPU with a driver that Dawn accepts, ${have}; install its Vulkan driver, or choose auto`;
  if (wanted === 'software')
    return `no software Vulkan, ${have}; choose cpu, which is faster, or ${installDriver()}`;
  return `no such adapter, ${have}; choose auto or part of one of these names`;
}

/** How to open an adapter. */
export interface OpenOptions {
  /** Threads of the CPU target; all cores if absent. */
  readonly threads?: number;
  /** Whether the CPU target runs the kernels that check every index. */
  readonly checked?: boolean;
}

/** Opens an adapter as a device. Throws DeviceError, and AdapterError for options that it does not have. */
export async function openAdapter(found: FoundAdapter, options: OpenOptions = {}): Promise<Device> {
  const { threads, checked = false } = options;
  if (found.kind === 'cpu') return openCpu({ threads, readModule: (name) => readModule(name, checked) });
  const idle = threads === undefined ? checked && '--check' : `--threads=${threads}`;
  if (idle) {
    throw new AdapterError(
      `${idle}: is for kernels on the CPU, not for ${found.name}; leave it out, or choose --adapter=cpu`,
    );
  }
  // It reads WGSL, which takes time to load and which the CPU does without.
  const { openWebGpu } = await import('./webgpu.js');
  return openWebGpu({ ...found, readShader });
}

/** Text of `shaders/<name>.wgsl`. */
export function readShader(name: string): string {
  return readFileSync(new URL(`../../shaders/${name}.wgsl`, import.meta.url), 'utf8');
}

/** Bytes of `dist/shaders/<name>.wasm`, or of the kernels that check every index. */
export function readModule(name: string, checked: boolean): Promise<Uint8Array> {
  return readFile(new URL(`../shaders/${name}${checked ? '.check' : ''}.wasm`, import.meta.url));
}

/** Kernels for the calling thread, or undefined where a process gets no addresses for another memory. */
export function hostKernels(): HostKernels | undefined {
  const read = (name: string) => readFileSync(new URL(`../shaders/${name}.wasm`, import.meta.url));
  try {
    return new HostKernels(read);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
