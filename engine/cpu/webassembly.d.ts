/** What this engine uses of WebAssembly's JavaScript interface, which TypeScript describes for browsers only. */
declare namespace WebAssembly {
  type Bytes = ArrayBufferView | ArrayBufferLike;
  type Imports = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

  class Module {
    constructor(bytes: Bytes);
    static customSections(module: Module, name: string): ArrayBuffer[];
  }

  class Instance {
    constructor(module: Module, imports?: Imports);
    readonly exports: Readonly<Record<string, unknown>>;
  }

  class Memory {
    constructor(descriptor: { readonly initial: number; readonly maximum: number; readonly shared: true });
    readonly buffer: SharedArrayBuffer;
    /** Adds pages of 64 KiB and returns how many there were. */
    grow(pages: number): number;
  }

  function compile(bytes: Bytes): Promise<Module>;
}
