/**
 * Host for scripts: plain JavaScript modules in a QuickJS VM of their own inside the plugin's
 * thread. A script has what ECMAScript has, `ctx`, and nothing else.
 */
import type { JSValueHandle } from 'quickjs-wasi';

import type { PluginContext, PluginHooks } from '../plugin.ts';
import type { ScriptSources } from '../protocol/kept-code.ts';
import type { ScriptPlan } from '../protocol/manifest.ts';
import type { BootData } from '../protocol/messages.ts';
import type { Setup } from './module.ts';
import { Asks, errorOf, type Answer } from './script/asks.ts';
import { Calls } from './script/calls.ts';
import { openEngine } from './script/engine.ts';
import { ScriptFiles } from './script/files.ts';
import { freshVm } from './script/fresh-vm.ts';
import { guestOptions, guestVersion, HOOK_NAMES, type HookName } from './script/guest-source.ts';
import { imageOf, savedHeap, type HeapOrigin } from './script/heap.ts';
import { Services } from './script/services.ts';
import { sha256 } from './script/sha256.ts';
import { Task } from './script/task.ts';
import { ScriptVm, type VmOptions } from './script/vm.ts';

export interface ScriptHostOptions {
  /** A script without `snapshot` and `restore` gets them: its whole heap. Default true. */
  savesHeap?: boolean;
  /** Told what the script was made of. */
  keep?: (sources: ScriptSources) => void;
}

export async function loadScript(
  boot: BootData,
  { savesHeap = true, keep }: ScriptHostOptions = {},
): Promise<Setup> {
  const { script } = boot;
  if (!script) throw new TypeError('the boot data have no script');
  const engine = await openEngine(boot.engine);
  return async (context) => {
    const session = new ScriptSession(boot, script, engine, context);
    const hooks = await session.open();
    keep?.(session.sources);
    return savesHeap ? session.withHeap(hooks) : hooks;
  };
}

class ScriptSession {
  readonly #boot: BootData;
  readonly #script: ScriptPlan;
  readonly #files: ScriptFiles;
  readonly #asks: Asks;
  readonly #services: Services;
  readonly #calls: Calls;
  readonly #options: VmOptions;
  #enter: JSValueHandle | undefined;
  #describe: JSValueHandle | undefined;

  constructor(
    boot: BootData,
    script: ScriptPlan,
    engine: WebAssembly.Module,
    context: PluginContext,
  ) {
    this.#boot = boot;
    this.#script = script;
    this.#files = new ScriptFiles(script.folder, boot.entryUrl, boot.sources);
    this.#asks = new Asks(boot.limits, boot.generation * 2 ** 32);
    this.#services = new Services(context, this.#asks, this.#bounds(boot.limits.hookTimeoutMs));
    this.#calls = new Calls(this.#asks, this.#services, boot.limits, script);
    this.#options = {
      engine,
      memoryMb: script.memoryMb,
      stackKb: script.stackKb,
      functions: { ...this.#asks.functions, ...this.#services.functions, ...this.#calls.functions },
      resolveImport: (from, specifier) => this.#files.resolveImport(from, specifier),
      readModule: (name) => this.#files.readModule(name),
      lost: (error) =>
        context.exit(new Error(`the VM of the script is lost: ${error.message}`, { cause: error })),
      unhandled: (reason) => {
        // as in any plugin: a rejection that nobody handles ends its life
        void Promise.reject(this.#errorOf(reason));
      },
    };
  }

  /** What it was made of so far. */
  get sources(): ScriptSources {
    return this.#files.sources;
  }

  async open(): Promise<PluginHooks> {
    const { limits, engine } = this.#boot;
    const task = this.#task(limits.startTimeoutMs);
    const source = this.#files.readModule(this.#files.entry);
    const { vm, guest } = await freshVm(this.#options, task, engine?.image);
    const setup = vm.turn(task, () => {
      const entrance = vm.apply(guest, [vm.hostFunctions(), guestOptions(limits)]);
      this.#enter = entrance.getProp('enter');
      this.#describe = entrance.getProp('describe');
      return entrance.getProp('setup');
    });
    if (this.#enter) this.#asks.connect(vm, this.#enter);
    this.#identify(task);
    const answer = await this.#asks.askBy(task, (ask) =>
      vm.call(setup, [ask, vm.evaluateModule(source, this.#files.entry)]),
    );
    const names = valueOf(answer);
    return this.#hooks(HOOK_NAMES.filter((name) => Array.isArray(names) && names.includes(name)));
  }

  /** A script that has its own way to be carried over knows better. */
  withHeap(hooks: PluginHooks): PluginHooks {
    if ('snapshot' in hooks || 'restore' in hooks) return hooks;
    return {
      ...hooks,
      snapshot: () => this.#save(),
      restore: (saved: unknown) => this.#restore(saved),
    };
  }

  #hooks(names: readonly HookName[]): PluginHooks {
    const entries = names.map((name) => [name, (argument: unknown) => this.#run(name, argument)]);
    const hooks = Object.fromEntries(entries) as Omit<PluginHooks, 'execute'>;
    const execute: PluginHooks['execute'] = (input, call) => this.#calls.execute(input, call);
    // a script without it is refused where every plugin is
    return names.includes('execute') ? { ...hooks, execute } : (hooks as PluginHooks);
  }

  #run(name: HookName, argument: unknown): unknown {
    const { hookTimeoutMs, healthTimeoutMs } = this.#boot.limits;
    const isVital = name === 'health' || name === 'stats';
    const task = this.#task(isVital ? healthTimeoutMs : hookTimeoutMs);
    const answer = this.#asks.ask(task, name, 0, this.#asks.codec.encode(argument));
    return answer instanceof Promise ? answer.then(valueOf) : valueOf(answer);
  }

  #save(): unknown {
    const { vm } = this.#asks;
    const kept = [this.#enter, this.#describe].filter((handle) => handle !== undefined);
    return savedHeap(vm.image(kept), { ...this.#fit(vm), files: this.#files.hashes });
  }

  async #restore(saved: unknown): Promise<void> {
    const isMadeOf = this.#files.isMadeOf.bind(this.#files);
    const image = imageOf(saved, this.#fit(this.#asks.vm), isMadeOf);
    const { vm, handles } = await ScriptVm.restore(this.#options, image);
    vm.reconnect();
    this.#services.letGo();
    [this.#enter, this.#describe] = handles;
    if (this.#enter) this.#asks.connect(vm, this.#enter);
    const task = this.#task(this.#boot.limits.hookTimeoutMs);
    this.#identify(task);
    await this.#asks.ask(task, 'revive');
  }

  #identify(task: Task): void {
    const { pluginId: id, agentId, generation, config } = this.#boot;
    const identity = this.#asks.codec.encode({ id, agentId, generation, config });
    this.#asks.tell(task, 'identify', 0, identity);
  }

  /** What a heap must have in common with this life, beside the files. */
  #fit(vm: ScriptVm): Omit<HeapOrigin, 'files'> {
    const config = this.#asks.codec.encode(this.#boot.config);
    return { engine: `${vm.version}, ${guestVersion()}`, config: sha256(Buffer.from(config)) };
  }

  #task(timeoutMs: number): Task {
    return new Task(this.#bounds(timeoutMs));
  }

  /** Half of the deadline: what the script is told then is heard before that is over. */
  #bounds(timeoutMs: number): { operationsMax: number; turnMsMax: number } {
    return { operationsMax: this.#script.operationsMax, turnMsMax: timeoutMs / 2 };
  }

  #errorOf(reason: JSValueHandle): Error {
    const text = this.#describe && this.#asks.vm.call(this.#describe, [reason]);
    return errorOf(this.#asks.codec.decode(text ?? ''));
  }
}

function valueOf(answer: Answer): unknown {
  return 'value' in answer ? answer.value : undefined;
}
