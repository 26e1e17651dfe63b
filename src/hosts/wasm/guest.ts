/** A guest that is there: its modules, instantiated, and how it is called. */
import type { PluginContext } from '../../plugin.ts';
import type { Blocking } from '../../protocol/blocking.ts';
import type { WasmBoot, WasmSignature } from '../../protocol/wasm-boot.ts';
import { aborting } from './assembly-script.ts';
import type { Blocks } from './blocks.ts';
import { EXTISM_MODULE, extismFunctions, LEGACY_PREFIX } from './extism-functions.ts';
import { GuestError } from './guest-error.ts';
import { link, memoryOf, type LinkedModule, type LinkScope, type Provided } from './link.ts';
import type { Streams } from './streams.ts';
import { TROUPE_MODULE, troupeFunctions } from './troupe-functions.ts';
import type { Variables } from './variables.ts';
import { GuestExit, WASI_MODULE, wasiFor, type WasiInstance } from './wasi.ts';

/** What all guests of a plugin share, one after the other. */
export interface GuestScope {
  boot: WasmBoot;
  modules: readonly LinkedModule[];
  context: PluginContext;
  blocking: Blocking;
  blocks: Blocks;
  variables: Variables;
  streams: Streams;
  /** Node's class, where the guest is given WASI. */
  Wasi: Parameters<typeof wasiFor>[0] | undefined;
  hostFunctions: Provided;
}

/** The guest says itself that it failed: it is as sound as before. */
export class GuestFailure extends Error {
  override readonly name = 'GuestFailure';
}

/** What languages call before anything else, in this order. */
const INITIALIZERS = ['hs_init', '_initialize'];
const CONSTRUCTORS = '__wasm_call_ctors';
const COMMAND = '_start';

export class Guest {
  /** Whether it speaks the Extism ABI; else its input and output are those of WASI, or arguments. */
  readonly usesBlocks: boolean;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly memory: WebAssembly.Memory | undefined;
  readonly #scope: GuestScope;
  readonly #signatures: Record<string, WasmSignature>;

  constructor(scope: GuestScope) {
    this.#scope = scope;
    const { modules, boot } = scope;
    const [main] = modules;
    const instances = link(linkScopeOf(scope));
    const instance = main && instances.get(main.name);
    this.exports = instance?.exports ?? {};
    this.memory = memoryOf(instance);
    this.#signatures = boot.modules[0]?.signatures ?? {};
    this.usesBlocks = modules.some(({ module }) => WebAssembly.Module.imports(module).some(isAbi));
  }

  has(name: string): boolean {
    return typeof this.exports[name] === 'function';
  }

  /** @throws GuestError that names the functions there are. */
  function(name: string): (...args: unknown[]) => unknown {
    const called = Object.hasOwn(this.exports, name) ? this.exports[name] : undefined;
    if (typeof called === 'function') return called as (...args: unknown[]) => unknown;
    const names = Object.keys(this.exports).filter((each) => this.has(each));
    const known = names.slice(0, NAMES_SHOWN_MAX).join(', ');
    throw new GuestError(
      `it exports no function ${name}; there ${known ? `are: ${known}` : 'is none'}`,
    );
  }

  signature(name: string): WasmSignature | undefined {
    return Object.hasOwn(this.#signatures, name) ? this.#signatures[name] : undefined;
  }

  /** @throws GuestError for a function that takes arguments: input and output of a call lie elsewhere. */
  callable(name: string): () => unknown {
    const called = this.function(name);
    const { params = '' } = this.signature(name) ?? {};
    if (params !== '') {
      throw new GuestError(
        `${name} takes arguments; call it with { function: ${JSON.stringify(name)}, args: […] }`,
      );
    }
    return called;
  }

  /** What it returns is its status. */
  call(called: () => unknown, input: Uint8Array | string): number {
    const { blocks, streams } = this.#scope;
    streams.begin(this.usesBlocks ? '' : input, { collects: !this.usesBlocks });
    blocks.begin(this.usesBlocks ? input : '');
    const status = this.#run(() => exitCodeOf(called));
    const error = this.usesBlocks ? blocks.error() : undefined;
    if (error !== undefined) throw new GuestFailure(error);
    return status;
  }

  /** The same of a function with arguments: what it returns is the result. */
  apply(called: () => unknown): unknown {
    const { blocks, streams } = this.#scope;
    streams.begin('', { collects: false });
    blocks.begin('');
    return this.#run(called);
  }

  #run<T>(work: () => T): T {
    try {
      return work();
    } finally {
      this.#scope.streams.flush();
    }
  }

  /** What the last call has put out, as a view. */
  output(): Buffer {
    return this.usesBlocks ? this.#scope.blocks.output() : this.#scope.streams.output();
  }
}

const NAMES_SHOWN_MAX = 20;

/** Nothing returned is 0, as is any value but an i32. */
function exitCodeOf(called: () => unknown): number {
  try {
    const status = called();
    return typeof status === 'number' ? status : 0;
  } catch (error) {
    if (error instanceof GuestExit) return error.code;
    throw error;
  }
}

function isAbi({ module, name }: WebAssembly.ModuleImport): boolean {
  return module === EXTISM_MODULE || (module === 'env' && name.startsWith(LEGACY_PREFIX));
}

function linkScopeOf(scope: GuestScope): LinkScope {
  const { modules, context, blocking, boot, hostFunctions, streams, Wasi } = scope;
  const abi = { ...scope, config: context.config, log: context.log, output: boot.output };
  const extism = extismFunctions(abi);
  const legacy = Object.entries(extism).map(
    ([name, given]) => [LEGACY_PREFIX + name, given] as const,
  );
  const troupe = troupeFunctions(abi);
  const wasis = new Map<LinkedModule, WasiInstance>();
  return {
    modules,
    providedTo(module, memory) {
      const wasi = Wasi && wasiFor(Wasi, { folders: boot.folders, streams, blocking, memory });
      if (wasi) wasis.set(module, wasi);
      return new Map([
        ...hostFunctions,
        [EXTISM_MODULE, extism],
        [TROUPE_MODULE, troupe],
        [
          'env',
          { ...Object.fromEntries(legacy), ...aborting(memory), ...hostFunctions.get('env') },
        ],
        [WASI_MODULE, wasi?.functions ?? {}],
      ]);
    },
    ready(module, instance) {
      const memory = memoryOf(instance);
      if (memory) wasis.get(module)?.bind(memory);
      const { exports } = instance;
      const first = INITIALIZERS.filter((name) => typeof exports[name] === 'function');
      const isLibrary = first.length === 0 && exports[COMMAND] === undefined;
      for (const name of isLibrary ? [CONSTRUCTORS] : first) {
        const called = exports[name];
        if (typeof called === 'function') Reflect.apply(called, undefined, [0, 0]);
      }
    },
    hint: ({ module }) => hintFor(module, boot),
  };
}

function hintFor(module: string, { wasi }: WasmBoot): string {
  if (module === WASI_MODULE && !wasi) return 'set wasm.wasi to true';
  if (module === EXTISM_MODULE || module === TROUPE_MODULE) return `${module} has no such function`;
  return 'give it with wasm.modules or wasm.hostFunctions';
}
