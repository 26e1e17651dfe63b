/**
 * One QuickJS VM: its limits, the turns in which it runs, and when it is lost. A turn runs what is
 * asked, and all promise jobs that follow from it, on behalf of one task.
 */
import {
  EvalFlags,
  Intrinsics,
  JSException,
  QuickJS,
  type JSValueHandle,
  type QuickJSOptions,
} from 'quickjs-wasi';

import { SCRIPT_DRAIN_MS } from '../../protocol/limits.ts';
import { crossingOf, newText, type HostFunction } from './crossing.ts';
import type { Task } from './task.ts';
import { isJobError, scriptError, stoppedAt, withoutStack } from './vm-errors.ts';

export interface VmOptions {
  engine: WebAssembly.Module;
  memoryMb: number;
  stackKb: number;
  functions: Readonly<Record<string, HostFunction>>;
  /** Both throw what the script is told. */
  resolveImport: (from: string, specifier: string) => string;
  readModule: (name: string) => string;
  /** The VM can't be used any more; ends the thread. */
  lost(error: Error): never;
  /** A promise was rejected, and nobody handled it in the turn. */
  unhandled(reason: JSValueHandle): void;
}

/** A whole heap. */
export interface VmImage {
  memory: Uint8Array;
  stackPointer: number;
  runtimePtr: number;
  contextPtr: number;
  /** The handles that were kept, in their order. */
  tokens: number[];
}

const MIB = 1024 * 1024;

export class ScriptVm {
  readonly #options: VmOptions;
  readonly #vm: QuickJS;
  readonly #unhandled = new Map<number, JSValueHandle>();
  /** Made for the engine, which has its own reference by the end of the turn. */
  #spent: JSValueHandle[] = [];
  #task: Task | undefined;

  static async create(options: VmOptions): Promise<ScriptVm> {
    const hooks: { vm?: ScriptVm } = {};
    const { ALL, PERFORMANCE, DOM_EXCEPTION, ATOB_BTOA } = Intrinsics;
    const made = await QuickJS.create({
      ...engineOptions(options, hooks),
      // the language, and nothing of a browser
      intrinsics: ALL & ~(PERFORMANCE | DOM_EXCEPTION | ATOB_BTOA),
    });
    hooks.vm = new ScriptVm(options, made);
    return hooks.vm;
  }

  /** @param changed may change the memory, before it is used. */
  static async restore(
    options: VmOptions,
    { tokens, ...image }: VmImage,
    changed?: (memory: Uint8Array) => void,
  ): Promise<{ vm: ScriptVm; handles: JSValueHandle[] }> {
    const hooks: { vm?: ScriptVm; memory?: WebAssembly.Memory } = {};
    const snapshot = { ...image, extensions: [] };
    const made = await QuickJS.restore(snapshot, {
      ...engineOptions(options, hooks),
      wasi: (memory: WebAssembly.Memory) => {
        hooks.memory = memory;
        return {};
      },
    });
    if (hooks.memory) changed?.(new Uint8Array(hooks.memory.buffer));
    hooks.vm = new ScriptVm(options, made);
    return { vm: hooks.vm, handles: tokens.map((token) => made.importHandle(token)) };
  }

  private constructor(options: VmOptions, vm: QuickJS) {
    this.#options = options;
    this.#vm = vm;
  }

  /** Of the engine. */
  get version(): string {
    return Object.entries(this.#vm.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ');
  }

  /** On whose behalf it runs. */
  get task(): Task | undefined {
    return this.#task;
  }

  /**
   * @throws what stopped the task: then nothing of it goes on. What else throws is an error of the
   * script's that nobody caught there.
   */
  turn<T>(task: Task, work: () => T): T {
    const outer = this.#task;
    this.#task = task;
    if (!outer) task.beginTurn();
    try {
      return work();
    } finally {
      if (!outer) {
        this.#runJobs(task);
        this.#tellUnhandled(task);
        for (const handle of this.#spent) handle.dispose();
        this.#spent = [];
      }
      this.#task = outer;
      // instead of what work returned or threw
      // oxlint-disable-next-line no-unsafe-finally
      if (task.stopped) throw task.stopped;
    }
  }

  /** Within a turn. A text where the function returned one. */
  call(fn: JSValueHandle, args: readonly (string | number | JSValueHandle)[]): string | undefined {
    return this.#withHandles(args, (handles) => {
      const result = this.#vm.callFunction(fn, this.#vm.undefined, ...handles);
      const text = result.isString ? result.toString() : undefined;
      result.dispose();
      return text;
    });
  }

  /** Within a turn. The same, where the result is to stay there. */
  apply(fn: JSValueHandle, args: readonly (string | JSValueHandle)[]): JSValueHandle {
    return this.#withHandles(args, (handles) =>
      this.#vm.callFunction(fn, this.#vm.undefined, ...handles),
    );
  }

  /** Within a turn. A script of the runtime's own: the value of its text. */
  evaluate(source: string, file: string): JSValueHandle {
    return this.#guard(() => this.#vm.evalCode(source, file));
  }

  /** Within a turn. A promise of the module's namespace. */
  evaluateModule(source: string, file: string): JSValueHandle {
    return this.#guard(() => this.#vm.evalCode(source, file, EvalFlags.TYPE_MODULE));
  }

  /** Within a turn. An object of the host's functions. */
  hostFunctions(): JSValueHandle {
    const object = this.#vm.newObject();
    for (const name of Object.keys(this.#options.functions)) {
      const fn = this.#vm.newFunction(name, this.#hostFunction(name));
      object.setProp(name, fn);
      fn.dispose();
    }
    return object;
  }

  /** For a heap that has these functions already: it knows them by name. */
  reconnect(): void {
    for (const name of Object.keys(this.#options.functions)) {
      this.#vm.registerHostCallback(name, this.#hostFunction(name));
    }
  }

  /** Of a VM that stands still. */
  image(kept: readonly JSValueHandle[]): VmImage {
    const tokens = kept.map((handle) => this.#vm.exportHandle(handle));
    const { memory, stackPointer, runtimePtr, contextPtr } = this.#vm.snapshot();
    return { memory, stackPointer, runtimePtr, contextPtr, tokens };
  }

  look(): boolean {
    return this.#task?.look() ?? false;
  }

  rejected(promise: JSValueHandle, reason: JSValueHandle, isHandled: boolean): void {
    const { identity } = promise;
    this.#unhandled.get(identity)?.dispose();
    if (isHandled) this.#unhandled.delete(identity);
    else this.#unhandled.set(identity, reason.dup());
  }

  #runJobs(task: Task): void {
    let stoppedAt: number | undefined;
    for (;;) {
      try {
        this.#vm.executePendingJobs();
        return;
      } catch (error) {
        if (!isJobError(error)) this.#lose(error);
        // the job that ran was ended; others of the task may follow
        task.stop('JOB_FAILED', error.message);
        stoppedAt ??= performance.now();
        if (performance.now() - stoppedAt > SCRIPT_DRAIN_MS) {
          this.#lose(new Error('its promise jobs beget promise jobs without end'));
        }
      }
    }
  }

  #tellUnhandled(task: Task): void {
    if (this.#unhandled.size === 0) return;
    const reasons = [...this.#unhandled.values()];
    this.#unhandled.clear();
    for (const reason of reasons) {
      // of a task that was stopped they are the pieces
      if (!task.stopped) this.#options.unhandled(reason);
      reason.dispose();
    }
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof JSException)) this.#lose(error);
      throw this.#task?.stopped ? stoppedAt(this.#task.stopped, error) : scriptError(error);
    }
  }

  /** Something else than the script failed: nobody knows what state the VM is in. */
  #lose(error: unknown): never {
    const cause = error instanceof Error ? error : new Error(String(error));
    this.#options.lost(cause);
  }

  #withHandles<T>(
    args: readonly (string | number | JSValueHandle)[],
    work: (handles: readonly JSValueHandle[]) => T,
  ): T {
    const handles = args.map((arg) => this.#handleOf(arg));
    try {
      return this.#guard(() => work(handles));
    } finally {
      handles.forEach((handle, index) => {
        if (handle !== args[index]) handle.dispose();
      });
    }
  }

  #handleOf(value: string | number | JSValueHandle): JSValueHandle {
    if (typeof value === 'number') return this.#vm.newNumber(value);
    return typeof value === 'string' ? newText(this.#vm, value) : value;
  }

  #hostFunction(name: string): (...args: JSValueHandle[]) => JSValueHandle {
    const fn = this.#options.functions[name];
    return (...args) => {
      const result = fn?.(...args.map(crossingOf));
      if (result === undefined) return this.#vm.undefined;
      const handle =
        typeof result === 'string' ? newText(this.#vm, result) : this.#vm.newArrayBuffer(result);
      this.#spent.push(handle);
      return handle;
    };
  }
}

function engineOptions(
  { engine, memoryMb, stackKb, resolveImport, readModule }: VmOptions,
  hooks: { vm?: ScriptVm },
): QuickJSOptions {
  return {
    wasm: engine,
    memoryLimit: memoryMb * MIB,
    maxStackSize: stackKb * 1024,
    interruptHandler: () => hooks.vm?.look() ?? false,
    onUnhandledRejection: (...rejection) => {
      hooks.vm?.rejected(...rejection);
    },
    moduleLoader: {
      normalize: (from, specifier) => withoutStack(() => resolveImport(from, specifier)),
      load: (name) => withoutStack(() => readModule(name)),
    },
  };
}
