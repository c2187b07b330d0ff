/**
 * The CPU target's compiler: one WebAssembly module of SIMD code for each WGSL file.
 *
 * An entry point becomes a function (record, first, last) that runs the workgroups first … last − 1, one invocation
 * after the other, in a loop: nothing is vectorised across invocations. A vec4 is one v128 register, a scalar a scalar;
 * structs, short vectors and small arrays are taken apart into registers; functions are inlined; buffers are pointers
 * into the one linear memory, read from the record:
 *
 *   bytes 0 … 11       numbers of workgroups along x, y, z
 *   from byte 16       struct Dims, in whole 16 bytes, if the entry reads it
 *   behind it          address and length in bytes of each storage buffer, in the order of Kernel.storage
 *
 * In: f32, u32, i32, bool, vec2 … vec4 of them, structs, arrays of constant size in registers, runtime-sized arrays in
 * buffers, if, for, while, loop, functions, overrides (read from dims, see Kernel.overrides). Not in: pointers, workgroup
 * and private variables, barriers, atomics, matrices, textures, switch. Anything else is a KernelError with file and
 * line. An index outside its buffer is undefined, unless the module is `checked`: then it calls env.fail(binding, index),
 * which must throw. A `traced` module, for tests, tells env.access what it loads and stores. Division of integers by zero,
 * and of the lowest by -1, traps.
 */
import binaryen from 'binaryen';
import { KernelError, type Kernel } from '../kernel.js';
import { reflect } from '../reflect.js';
import { Builder } from './builder.js';
import { declarationsOf } from './declarations.js';
import { entryBody, record } from './entry.js';
import { callFunction } from './functions.js';
import { Library } from './library.js';
import { Memory, type Watch } from './memory.js';
import type { Declarations } from './scope.js';
import { statements } from './statements.js';
import { Translator, type Rules } from './translator.js';
import type { Values } from './values.js';

export interface CompileOptions extends Watch {
  /** Text of builtins.wgsl. */
  readonly builtins: string;
}

/**
 * Size, in Binaryen's nodes, up to which a function of the library is inlined wherever it is called: a call in a loop stores
 * and loads all registers, and makes constants anew, which takes longer than the function itself.
 */
const mostInlined = 200;

/** How many pages of 64 KiB the linear memory may have: all that 32 bits address. */
const mostPages = 65536;

const rules: Rules = { inline: callFunction, statements };

/**
 * Compiles `source`, the text of shaders/<name>.wgsl. The module's custom section `kernels` holds what reflect() says of
 * every entry, as JSON. Throws KernelError with file and line for what is not in the subset.
 */
export function compileShader(name: string, source: string, options: CompileOptions): Uint8Array {
  const declarations = declarationsOf(name, source);
  const kernels = reflect(name, source);
  const module = emptyModule();
  try {
    const library = new Library(module, options.builtins, rules);
    for (const kernel of kernels.values()) addEntry(module, kernel, declarations, library, options);
    if (!module.validate()) throw new KernelError(`${name}.wgsl: the compiler wrote an invalid module`);
    optimize(module);
    const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(kernels)));
    module.addCustomSection('kernels', json);
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

function emptyModule(): binaryen.Module {
  const module = new binaryen.Module();
  const { Atomics, BulkMemory, MutableGlobals, NontrappingFPToInt, SIMD128, SignExt } = binaryen.Features;
  module.setFeatures(Atomics | BulkMemory | MutableGlobals | NontrappingFPToInt | SIMD128 | SignExt);
  module.setMemory(1, mostPages, null, [], true, false, '0');
  // The types leave out the last argument: whether the memory is shared.
  const { addMemoryImport } = module as unknown as { addMemoryImport(...args: unknown[]): void };
  addMemoryImport('0', 'env', 'memory', true);
  const { i32, none } = binaryen;
  module.addFunctionImport('fail', 'env', 'fail', binaryen.createType([i32, i32]), none);
  module.addFunctionImport('access', 'env', 'access', binaryen.createType([i32, i32, i32]), i32);
  return module;
}

function addEntry(
  module: binaryen.Module,
  kernel: Kernel,
  declarations: Declarations,
  library: Library,
  watch: Watch,
): void {
  const node = declarations.functions.get(kernel.entry);
  if (node === undefined) throw new KernelError(`${kernel.shader}.wgsl: no function ${kernel.entry}`);
  const builder = new Builder(module, ['i32', 'i32', 'i32']);
  const memory = (values: Values) => new Memory(values, kernel, record, watch);
  const translator = new Translator(builder, declarations, library.call, rules, memory);
  try {
    builder.finish(kernel.entry, null, entryBody(translator, node, kernel));
  } catch (error) {
    const line = translator.line > 0 ? translator.line : node.line;
    const { message } = error as Error;
    throw new KernelError(`${kernel.shader}.wgsl:${line}: ${kernel.entry}: ${message}`, { cause: error });
  }
  module.addFunctionExport(kernel.entry, kernel.entry);
}

function optimize(module: binaryen.Module): void {
  binaryen.setOptimizeLevel(3);
  binaryen.setShrinkLevel(0);
  binaryen.setFlexibleInlineMaxSize(mostInlined);
  module.optimize();
  module.runPasses(['licm', 'local-cse', 'simplify-locals', 'vacuum', 'coalesce-locals', 'reorder-locals']);
}
