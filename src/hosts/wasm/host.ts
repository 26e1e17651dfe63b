/**
 * The host for WebAssembly: a guest behind the hooks of a plugin. After a trap the guest's memory
 * is in doubt, and the next call has a new one; its variables, which lie outside of it, stay.
 */
import type { PluginContext, PluginHooks } from '../../plugin.ts';
import type { Blocking } from '../../protocol/blocking.ts';
import type { BootData } from '../../protocol/messages.ts';
import type { WasmBoot } from '../../protocol/wasm-boot.ts';
import type { ImportModule } from '../module.ts';
import { copy, prepare, slice } from './arguments.ts';
import { Blocks } from './blocks.ts';
import { GuestError, guestStack } from './guest-error.ts';
import { Guest, GuestFailure, type GuestScope } from './guest.ts';
import { loadHostFunctions } from './host-functions.ts';
import type { LinkedModule } from './link.ts';
import { valueOf } from './output.ts';
import { requestOf, type GuestRequest } from './request.ts';
import { Streams } from './streams.ts';
import { Variables } from './variables.ts';
import { loadWasi } from './wasi.ts';

export type WasmSetup = (context: PluginContext) => Promise<PluginHooks>;

export interface WasmHostScope {
  blocking: Blocking;
  /** For host functions of the user's. */
  importModule: ImportModule;
}

export async function loadGuest(
  boot: BootData,
  { blocking, importModule }: WasmHostScope,
): Promise<WasmSetup> {
  const { wasm, limits } = boot;
  if (!wasm) throw new TypeError('this actor was told of no WebAssembly module');
  Error.stackTraceLimit = STACK_FRAMES;
  const modules = await Promise.all(wasm.modules.map(compiled));
  const Wasi = wasm.wasi ? loadWasi() : undefined;
  return async (context) => {
    const blocks = new Blocks(wasm.memoryPagesMax);
    const variables = new Variables(wasm.variableBytesMax);
    const streams = new Streams(context.log, limits.payloadBytesMax);
    const shared = { context, blocking, blocks };
    const hostFunctions = await loadHostFunctions(wasm.hostFunctionsUrl, {
      ...shared,
      importModule,
    });
    const host = new WasmHost({
      ...shared,
      boot: wasm,
      modules,
      variables,
      streams,
      Wasi,
      hostFunctions,
    });
    host.open();
    return host.hooks();
  };
}

/** Names of a guest's functions say more than those of ours. */
const STACK_FRAMES = 50;
const DEFAULT_FUNCTIONS = ['execute', '_start'];
const COMMAND = '_start';

/** In a process of its own a module is compiled where it runs. */
async function compiled({ code, ...module }: WasmBoot['modules'][number]): Promise<LinkedModule> {
  const isCompiled = code instanceof WebAssembly.Module;
  return { ...module, module: isCompiled ? code : await WebAssembly.compile(code) };
}

class WasmHost {
  readonly #scope: GuestScope;
  #guest: Guest | undefined;
  #calls = 0;
  #traps = 0;
  #guests = 0;

  constructor(scope: GuestScope) {
    this.#scope = scope;
  }

  /** A guest that cannot be is an error now, not at the first call. */
  open(): void {
    const { boot } = this.#scope;
    const guest = this.#guarded(() => this.#present());
    if (boot.function !== undefined) guest.function(boot.function);
  }

  hooks(): PluginHooks {
    const { variables } = this.#scope;
    return {
      execute: (input) => this.#execute(requestOf(input)),
      stats: () => this.#stats(),
      snapshot: () => variables.snapshot(),
      restore: (saved: unknown) => {
        variables.restore(saved);
      },
    };
  }

  #execute(request: GuestRequest): unknown {
    this.#calls++;
    const guest = this.#guarded(() => this.#present());
    switch (request.do) {
      case 'call': {
        const name = request.name ?? this.#functionOf(guest);
        if (guest.has(`${name}_next`)) return this.#iterate(name, request.input);
        return this.#call(guest, name, request.input);
      }
      case 'apply': {
        const { name, args, returns } = request;
        const { exports, memory } = guest;
        const called = guest.function(name);
        const signature = guest.signature(name);
        const { run, take } = prepare({ name, called, signature, args, returns, exports, memory });
        return take(this.#guarded(() => guest.apply(run)));
      }
      case 'read':
        return copy(guest.memory, request.pointer, request.length, request.as);
      case 'write': {
        const bytes = Buffer.from(request.data);
        slice(guest.memory, request.pointer, bytes.byteLength).set(bytes);
        return bytes.byteLength;
      }
    }
  }

  #functionOf(guest: Guest): string {
    const names =
      this.#scope.boot.function === undefined ? DEFAULT_FUNCTIONS : [this.#scope.boot.function];
    const name = names.find((each) => guest.has(each));
    if (name !== undefined) return name;
    const [first = ''] = names;
    guest.function(first);
    return first;
  }

  #call(guest: Guest, name: string, input: Uint8Array | string): unknown {
    const { streams, boot, blocking } = this.#scope;
    const called = guest.callable(name);
    const status = this.#guarded(() => guest.call(called, input));
    // a program has run to its end, and is not run again
    if (name === COMMAND) this.#guest = undefined;
    if (status !== 0) throw new GuestFailure(`${name} returned the status ${String(status)}`);
    const output = guest.output();
    if (streams.chunks === 0) return valueOf(output, boot.output, { keep: false });
    if (output.byteLength > 0) {
      blocking.push(valueOf(output, boot.output, { keep: true }), output.byteLength);
    }
    return undefined;
  }

  /** `name` begins; then `name_next` is asked for a chunk as long as it returns 0; 1 is the end. */
  *#iterate(name: string, input: Uint8Array | string): Generator {
    const { blocking, boot, streams } = this.#scope;
    const guest = this.#guarded(() => this.#present());
    const step = (part: string, given: Uint8Array | string): number => {
      const called = guest.callable(part);
      blocking.checkpoint();
      const status = this.#guarded(() => guest.call(called, given));
      if (streams.chunks === 0) return status;
      throw new GuestError(`${part} is of an iterator, whose output is its chunk: it sends none`);
    };
    const status = step(name, input);
    if (status !== 0) throw new GuestFailure(`${name} returned the status ${String(status)}`);
    const next = `${name}_next`;
    let isOver = false;
    try {
      for (;;) {
        const more = step(next, '');
        if (more === 0) yield valueOf(guest.output(), boot.output, { keep: true });
        else {
          isOver = true;
          if (more === 1) return;
          throw new GuestFailure(`${next} returned the status ${String(more)}`);
        }
      }
    } finally {
      const last = `${name}_return`;
      if (!isOver && this.#guest === guest && guest.has(last)) {
        const called = guest.callable(last);
        this.#guarded(() => guest.call(called, ''));
      }
    }
  }

  #present(): Guest {
    if (!this.#guest) {
      this.#guest = new Guest(this.#scope);
      this.#guests++;
    }
    return this.#guest;
  }

  /** What the guest did not say itself leaves its memory in doubt. */
  #guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof GuestFailure)) {
        this.#guest = undefined;
        this.#traps++;
        guestStack(error);
      }
      if (error instanceof WebAssembly.Exception) throw new GuestError(UNCAUGHT);
      throw error;
    }
  }

  #stats(): Record<string, unknown> {
    const { blocks, variables } = this.#scope;
    const buffer = this.#guest?.memory?.buffer;
    return {
      calls: this.#calls,
      traps: this.#traps,
      instances: this.#guests,
      memoryPages: buffer ? buffer.byteLength / PAGE_BYTES : 0,
      blockPages: blocks.pages,
      variables: variables.count,
      variableBytes: variables.bytes,
    };
  }
}

const PAGE_BYTES = 64 * 1024;
const UNCAUGHT = 'it threw an exception of its own language, and nothing in it caught that';
