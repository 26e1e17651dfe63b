/** What this runtime uses of WebAssembly: the browser's declarations have it, Node's do not yet. */
declare namespace WebAssembly {
  type ExportValue = ((...args: unknown[]) => unknown) | Memory | object;
  type Imports = Record<string, Record<string, unknown>>;

  interface ModuleImport {
    module: string;
    name: string;
    kind: string;
  }

  interface ModuleExport {
    name: string;
    kind: string;
  }

  class Module {
    constructor(bytes: Uint8Array);
    static imports(module: Module): ModuleImport[];
    static exports(module: Module): ModuleExport[];
  }

  class Instance {
    readonly exports: Readonly<Record<string, ExportValue>>;
    constructor(module: Module, imports?: Imports);
  }

  class Memory {
    readonly buffer: ArrayBuffer;
    constructor(limits: { initial: number; maximum?: number; shared?: boolean });
  }

  /** What a guest throws itself. */
  class Exception {
    is(tag: object): boolean;
  }
  class CompileError extends Error {}
  class LinkError extends Error {}
  class RuntimeError extends Error {}

  function compile(bytes: Uint8Array): Promise<Module>;
}
