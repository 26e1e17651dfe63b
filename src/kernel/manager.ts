/** The PluginManager: what an embedding program holds. The parts do the work; see kernel.ts. */
import { PluginError } from '../protocol/errors.ts';
import type { PluginSpec, PluginType } from '../protocol/manifest.ts';
import type {
  CpuProfileReport,
  DeadLetter,
  HealthReport,
  HeapSnapshotReport,
  PluginListing,
  PluginState,
  PluginStats,
  ReloadResult,
} from '../protocol/report.ts';
import { toWireError } from '../protocol/wire-error.ts';
import type { Verb } from '../supervisor/machine.ts';
import { printLogs } from './console-log.ts';
import { createManagerContext, type ManagerContext } from './context.ts';
import {
  cpuProfile,
  heapSnapshot,
  type CpuProfileOptions,
  type HeapSnapshotOptions,
} from './diagnosis.ts';
import { folderPath, originOf } from './discover.ts';
import { discover, type DiscoverOptions } from './discovery.ts';
import { bringUp, performAll, reloadAll } from './fleet.ts';
import type { GroupHandle } from './group-handle.ts';
import type { ChildSpec, GroupOptions } from './group-spec.ts';
import { createGroup } from './groups.ts';
import { createHandle, type PluginHandle } from './handle.ts';
import type { KernelEvent, KernelEventType, KernelListener } from './kernel-events.ts';
import { Kernel } from './kernel.ts';
import { dependencyError } from './order.ts';
import { planOf } from './plan.ts';
import { execute, stream } from './router.ts';
import { closeOnSignals } from './signals.ts';
import { checkSpec } from './spec-schema.ts';
import { withMethods, type TypedHandle, type TypedSpec } from './typed-spec.ts';
import type {
  CloseReport,
  ExecuteOptions,
  InputOf,
  OutputOf,
  PluginManagerOptions,
} from './types.ts';

/**
 * Manages plugins: registers them, moves them through their lifecycle, routes calls to them,
 * and keeps them alive.
 *
 * @example
 * const manager = new PluginManager('my_agent');
 * await manager.register({ id: 'primes', type: 'tool', entry: new URL('./primes.ts', import.meta.url) });
 * await manager.up();
 * const primes = await manager.execute('primes', 100_000);
 * await manager.close();
 */
export class PluginManager {
  readonly id: string;
  /** Shared state, events and locks: the same that plugins see. */
  readonly context: ManagerContext;
  readonly #kernel: Kernel;
  #closing: Promise<CloseReport> | undefined;

  constructor(id: string, options: PluginManagerOptions = {}) {
    this.id = id;
    this.#kernel = new Kernel(id);
    this.context = createManagerContext(this.#kernel.services, id, (error) => {
      this.#kernel.events.emit('warning', id, 0, {
        message: `a listener threw: ${toWireError(error).message}`,
      });
    });
    if (options.logs !== 'silent') printLogs(this.#kernel.events);
  }

  /**
   * Makes a plugin known. Nothing of its code runs, and its file need not exist yet.
   *
   * @param what a spec, or the folder of a `plugin.json` (path or URL).
   * @throws PluginError `INVALID_SPEC`, `ALREADY_REGISTERED`.
   */
  async register<I, O, M extends object>(spec: TypedSpec<I, O, M>): Promise<TypedHandle<I, O, M>>;
  async register<Module = unknown>(
    what: PluginSpec | string | URL,
  ): Promise<PluginHandle<InputOf<Module>, OutputOf<Module>>>;
  async register(what: PluginSpec | string | URL): Promise<PluginHandle> {
    this.#refuseClosed();
    const isFolder = typeof what === 'string' || what instanceof URL;
    const origin = isFolder ? originOf(folderPath(what)) : undefined;
    const plan = origin ? await origin.read() : planOf(checkSpec(what, 'program'));
    const { id } = this.#kernel.add(plan, origin);
    await this.#kernel.isWatching(id);
    return withMethods(() => createHandle(this, id), what);
  }

  /** Unloads a plugin if need be, and forgets it. */
  async unregister(id: string): Promise<void> {
    await this.#kernel.remove(id);
  }

  /**
   * Registers plugins as children of a group and brings them up, one after the other. From then
   * on the group decides about their restarts, with its own budget: `one-for-one`,
   * `one-for-all` or `rest-for-one`. A spec `{ group, strategy, children }` is a nested group.
   *
   * @throws PluginError `INVALID_SPEC`, `ALREADY_REGISTERED`, or why a child did not come up:
   * then those that had are stopped in reverse, and nothing stays registered.
   *
   * @example
   * const web = await manager.group('web', { strategy: 'rest-for-one' }, [store, cache, server]);
   */
  async group(name: string, options: GroupOptions, specs: ChildSpec[]): Promise<GroupHandle> {
    this.#refuseClosed();
    return createGroup(this.#kernel, name, options, specs);
  }

  /**
   * Registers every folder directly below `folder` that has a `plugin.json`. With `watch`, also
   * those that appear later, and unregisters those whose folder goes; until the manager is closed.
   *
   * @returns the handles of those that are registered now.
   * @throws AggregateError after all were tried, naming each that is broken; it watches even then.
   */
  async discover(folder: string | URL, options: DiscoverOptions = {}): Promise<PluginHandle[]> {
    this.#refuseClosed();
    const ids = await discover(this.#kernel, folderPath(folder), options);
    return ids.map((id) => createHandle(this, id));
  }

  /** Creates the thread, imports the plugin and runs its `load`. */
  async load(id: string): Promise<void> {
    const keeper = this.#kernel.registry.get(id);
    const error =
      keeper.state === 'unloaded' ? dependencyError(id, this.#kernel.registry.plans()) : undefined;
    if (error) throw error;
    await this.#perform(id, 'load');
  }

  init(id: string): Promise<void> {
    return this.#perform(id, 'init');
  }

  start(id: string): Promise<void> {
    return this.#perform(id, 'start');
  }

  /** Settles when the plugin really is quiet: no call runs, or the one that does stands still. */
  pause(id: string): Promise<void> {
    return this.#perform(id, 'pause');
  }

  resume(id: string): Promise<void> {
    return this.#perform(id, 'resume');
  }

  /** Begun calls may end; those that wait are rejected with `PLUGIN_STOPPED`. */
  stop(id: string): Promise<void> {
    return this.#perform(id, 'stop');
  }

  /** Ends the thread. */
  unload(id: string): Promise<void> {
    return this.#perform(id, 'unload');
  }

  /** A new thread for a running, paused or failed plugin; calls that wait are kept. */
  restart(id: string): Promise<void> {
    return this.#perform(id, 'restart');
  }

  /**
   * Puts a new version in the place of the present one: its files, and where it came from a folder
   * its `plugin.json`, as they are now. The new one comes up beside the old one, with its state
   * where both have the hooks for it, and takes over between two calls; what refuses to come up is
   * ended, and the old one was never gone. Settles when the new version serves, or is refused:
   * that is no rejection, but `ok: false` with the error. A plugin that has no life has the new
   * version at its next `load`. Reloads of one plugin follow each other; who asks during one
   * shares the next.
   *
   * @throws PluginError `NOT_FOUND`, `INVALID_STATE` where the manager is closed.
   *
   * @example
   * const { ok, to, error } = await manager.reload('rules');
   */
  async reload(id: string): Promise<ReloadResult> {
    this.#refuseClosed();
    return this.#kernel.registry.get(id).reload();
  }

  /**
   * Reloads all plugins one after the other, dependencies first. One that is refused does not
   * end that: its result says so.
   */
  async reloadAll(): Promise<Map<string, ReloadResult>> {
    this.#refuseClosed();
    return reloadAll(this.#kernel.registry);
  }

  /** Load, init and start of all that are enabled. */
  async up(): Promise<void> {
    this.#refuseClosed();
    this.#kernel.isUp = true;
    await bringUp(this.#kernel.registry);
  }

  async loadAll(): Promise<void> {
    this.#refuseClosed();
    await performAll(this.#kernel.registry, 'load');
  }

  initAll(): Promise<void> {
    return performAll(this.#kernel.registry, 'init');
  }

  startAll(): Promise<void> {
    return performAll(this.#kernel.registry, 'start');
  }

  pauseAll(): Promise<void> {
    return performAll(this.#kernel.registry, 'pause');
  }

  resumeAll(): Promise<void> {
    return performAll(this.#kernel.registry, 'resume');
  }

  stopAll(): Promise<void> {
    return performAll(this.#kernel.registry, 'stop');
  }

  unloadAll(): Promise<void> {
    return performAll(this.#kernel.registry, 'unload');
  }

  /**
   * Stops and unloads everything and leaves no handle open. Never rejects: the report says what
   * did not end in good order.
   */
  close(): Promise<CloseReport> {
    this.#closing ??= this.#kernel.close();
    return this.#closing;
  }

  /**
   * From now on SIGTERM and SIGINT close this manager, within the limits of its plugins; then the
   * process ends with 128 + the signal's number. A second signal ends it at once.
   *
   * @returns what takes the handlers away.
   */
  closeOnSignals(): () => void {
    return closeOnSignals(this.id, () => this.close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Calls a plugin. Settles exactly once: the result, or a PluginError such as `CALL_FAILED`
   * (what the plugin threw is its `cause`), `CALL_TIMEOUT`, `CALL_ABORTED`, `PLUGIN_CRASHED`,
   * `PLUGIN_STOPPED`, `NOT_RUNNING`, `MAILBOX_FULL`, `PAYLOAD_INVALID`, `PAYLOAD_TOO_LARGE`.
   */
  execute<O = unknown>(id: string, input?: unknown, options?: ExecuteOptions): Promise<O> {
    return execute(this.#kernel, id, input, options) as Promise<O>;
  }

  /** Calls a plugin and reads its chunks as they come; breaking off cancels the call. */
  stream<O = unknown>(id: string, input?: unknown, options?: ExecuteOptions): AsyncIterable<O> {
    return stream(this.#kernel, id, input, options) as AsyncIterable<O>;
  }

  /**
   * A typed handle: the same verbs without the id. Of a spec from a factory (`troupe/plugins`,
   * `typedSpec`) it has that one's methods too.
   *
   * @throws PluginError `NOT_FOUND`.
   */
  plugin<I, O, M extends object>(spec: TypedSpec<I, O, M>): TypedHandle<I, O, M>;
  plugin<I = unknown, O = unknown>(id: string): PluginHandle<I, O>;
  plugin(of: string | TypedSpec): PluginHandle {
    const { id } = this.#kernel.registry.get(typeof of === 'string' ? of : of.id);
    return withMethods(() => createHandle(this, id), of);
  }

  state(id: string): PluginState {
    return this.#kernel.registry.get(id).state;
  }

  listPlugins(): PluginListing[] {
    return this.#kernel.registry.list();
  }

  getByType(type: PluginType): string[] {
    return this.#kernel.registry.byType(type);
  }

  findByCapability(name: string): string[] {
    return this.#kernel.registry.byCapability(name);
  }

  /** Bounded in time, and never blocked by a busy plugin. */
  async health(id: string): Promise<HealthReport> {
    return this.#kernel.registry.get(id).health();
  }

  async healthCheckAll(): Promise<Map<string, boolean>> {
    return this.#kernel.registry.ask(async (keeper) => (await keeper.health()).healthy);
  }

  /** `undefined` for an unknown id. */
  async stats(id: string): Promise<PluginStats | undefined> {
    return this.#kernel.registry.find(id)?.stats();
  }

  async statsAll(): Promise<Map<string, PluginStats>> {
    return this.#kernel.registry.ask((keeper) => keeper.stats());
  }

  /**
   * Calls that could not be delivered, of one plugin or of all, oldest first: the last 100 of
   * each. They are forgotten when it is unregistered.
   *
   * @example
   * for (const letter of manager.deadLetters('mail')) {
   *   if (letter.hasInput) await manager.execute(letter.pluginId, letter.input());
   * }
   * @throws PluginError `NOT_FOUND`.
   */
  deadLetters(id?: string): DeadLetter[] {
    return this.#kernel.registry.deadLetters(id);
  }

  /**
   * Watches where a plugin's thread spends its time, and writes that as a `.cpuprofile`. Of that
   * thread alone, also while it is inside a loop.
   *
   * @throws PluginError `INVALID_STATE` without a thread, or while another one of the same plugin is under way;
   * `INVALID_SPEC` for an option or a file that cannot be; `CALL_ABORTED`; `CALL_TIMEOUT` where
   * the thread does not answer; `CALL_FAILED`; `PLUGIN_CRASHED`, `PLUGIN_STOPPED`.
   *
   * @example
   * const { top } = await manager.cpuProfile('primes', { file: 'primes.cpuprofile' });
   */
  async cpuProfile(id: string, options: CpuProfileOptions): Promise<CpuProfileReport> {
    return cpuProfile(this.#kernel.registry.get(id), options);
  }

  /**
   * Writes what a plugin's thread holds as a `.heapsnapshot`. The thread stands still for it:
   * about 0.1 s for each MiB of its heap. Errors as those of `cpuProfile`.
   */
  async heapSnapshot(id: string, options: HeapSnapshotOptions): Promise<HeapSnapshotReport> {
    return heapSnapshot(this.#kernel.registry.get(id), options);
  }

  /** Hears kernel events of one type, or with `*` of all. Returns what ends it. */
  on<T extends KernelEventType>(type: T | '*', listener: KernelListener<T>): () => void {
    return this.#kernel.events.on(type, listener);
  }

  /** Every kernel event from now on. */
  events(): AsyncIterable<KernelEvent> {
    return this.#kernel.events.events();
  }

  async #perform(id: string, verb: Verb): Promise<void> {
    if (verb !== 'unload' && verb !== 'stop') this.#refuseClosed();
    await this.#kernel.registry.get(id).perform(verb);
  }

  #refuseClosed(): void {
    if (!this.#closing) return;
    throw new PluginError('INVALID_STATE', `the manager ${this.id} is closed`);
  }
}
