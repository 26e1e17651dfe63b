/** The PluginManager: what an embedding program holds. It wires the parts and keeps none of their state. */
import { CodecError } from '../protocol/codec-error.ts';
import { encode, type Payload } from '../protocol/codec.ts';
import { PluginError } from '../protocol/errors.ts';
import { FLAG } from '../protocol/frame.ts';
import type { PluginPlan, PluginSpec, PluginType } from '../protocol/manifest.ts';
import type { HealthReport, PluginState, PluginStats } from '../protocol/report.ts';
import type { Life } from '../supervisor/life.ts';
import type { Verb } from '../supervisor/machine.ts';
import { Supervisor, type SupervisorEvent } from '../supervisor/supervisor.ts';
import { createThread } from '../supervisor/thread.ts';
import { printLogs } from './console-log.ts';
import { createManagerContext, type ManagerContext } from './context.ts';
import { folderPath, pluginFolders, readManifest } from './discover.ts';
import { prepareEntry } from './entry.ts';
import { EventHub } from './event-hub.ts';
import { bringUp, performAll, settleAll } from './fleet.ts';
import { createHandle, type PluginHandle } from './handle.ts';
import {
  KernelEvents,
  type KernelEvent,
  type KernelEventType,
  type KernelListener,
} from './kernel-events.ts';
import { Locks } from './locks.ts';
import { dependencyError } from './order.ts';
import { planOf } from './plan.ts';
import { PromiseReceiver, StreamReceiver } from './receivers.ts';
import { Registry, type PluginListing } from './registry.ts';
import { serve, type Services } from './services.ts';
import { Session } from './session.ts';
import { SharedMemory } from './shared-memory.ts';
import { checkSpec } from './spec-schema.ts';
import { StateStore } from './state-store.ts';
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
  readonly #registry = new Registry();
  readonly #events = new KernelEvents();
  readonly #sessions = new Map<Life, Session>();
  readonly #services: Services;
  #closing: Promise<CloseReport> | undefined;

  constructor(id: string, options: PluginManagerOptions = {}) {
    this.id = id;
    this.#services = {
      state: new StateStore(),
      events: new EventHub(),
      locks: new Locks(),
      memory: new SharedMemory(),
    };
    this.context = createManagerContext(this.#services, id, (error) => {
      this.#events.emit('warning', id, 0, { message: `a listener threw: ${String(error)}` });
    });
    if (options.logs !== 'silent') printLogs(this.#events);
  }

  /**
   * Makes a plugin known. Nothing of its code runs, and its file need not exist yet.
   *
   * @param what a spec, or the folder of a `plugin.json` (path or URL).
   * @throws PluginError `INVALID_SPEC`, `ALREADY_REGISTERED`.
   */
  async register<Module = unknown>(
    what: PluginSpec | string | URL,
  ): Promise<PluginHandle<InputOf<Module>, OutputOf<Module>>> {
    this.#refuseClosed();
    const isFolder = typeof what === 'string' || what instanceof URL;
    const plan = isFolder
      ? await readManifest(folderPath(what))
      : planOf(checkSpec(what, 'program'));
    this.#add(plan);
    return createHandle(this, plan.metadata.id);
  }

  /** Unloads a plugin if need be, and forgets it. */
  async unregister(id: string): Promise<void> {
    const supervisor = this.#registry.get(id);
    try {
      await supervisor.perform('unload');
    } finally {
      supervisor.dispatcher.close();
      this.#registry.remove(id);
      this.#events.emit('unregistered', id, supervisor.generation, {});
    }
  }

  /**
   * Registers every folder directly below `folder` that has a `plugin.json`.
   *
   * @returns the handles of those that are registered now.
   * @throws AggregateError after all were tried, naming each that is broken.
   */
  async discover(folder: string | URL): Promise<PluginHandle[]> {
    this.#refuseClosed();
    const handles: PluginHandle[] = [];
    const errors: unknown[] = [];
    for (const found of await pluginFolders(folderPath(folder))) {
      try {
        const handle = await this.register(found);
        handles.push(handle);
        this.#events.emit('discovered', handle.id, 0, { folder: found });
      } catch (error) {
        errors.push(error);
        this.#events.emit('warning', this.id, 0, { message: messageOf(error) });
      }
    }
    if (errors.length === 0) return handles;
    throw new AggregateError(
      errors,
      `${String(errors.length)} of the plugins found are broken: ${errors.map(messageOf).join('; ')}`,
    );
  }

  /** Creates the thread, imports the plugin and runs its `load`. */
  async load(id: string): Promise<void> {
    const supervisor = this.#registry.get(id);
    const error =
      supervisor.state === 'unloaded' ? dependencyError(id, this.#registry.plans()) : undefined;
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

  /** Not in this version: rejects with `RELOAD_FAILED`. */
  reload(id: string): Promise<never> {
    const what = `${id} cannot be reloaded: reload is not in this version; call restart(id) after a change`;
    return Promise.reject(
      new PluginError('RELOAD_FAILED', what, { pluginId: id, data: { unavailable: true } }),
    );
  }

  /** Load, init and start of all that are enabled. */
  async up(): Promise<void> {
    this.#refuseClosed();
    await bringUp(this.#registry);
  }

  async loadAll(): Promise<void> {
    this.#refuseClosed();
    await performAll(this.#registry, 'load');
  }

  initAll(): Promise<void> {
    return performAll(this.#registry, 'init');
  }

  startAll(): Promise<void> {
    return performAll(this.#registry, 'start');
  }

  pauseAll(): Promise<void> {
    return performAll(this.#registry, 'pause');
  }

  resumeAll(): Promise<void> {
    return performAll(this.#registry, 'resume');
  }

  stopAll(): Promise<void> {
    return performAll(this.#registry, 'stop');
  }

  unloadAll(): Promise<void> {
    return performAll(this.#registry, 'unload');
  }

  /**
   * Stops and unloads everything and leaves no handle open. Never rejects: the report says what
   * did not end in good order.
   */
  close(): Promise<CloseReport> {
    this.#closing ??= this.#close();
    return this.#closing;
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
    return new Promise((resolve, reject) => {
      const supervisor = this.#registry.get(id);
      const receiver = new PromiseReceiver(
        this.#receiverOptions(supervisor),
        resolve as (value: unknown) => void,
        reject,
      );
      supervisor.accept({
        payload: encodeFor(supervisor, input, options),
        receiver,
        flags: options?.idempotent === true ? FLAG.idempotent : 0,
        timeoutMs: options?.timeoutMs ?? supervisor.plan.limits.callTimeoutMs,
        signal: options?.signal,
      });
    });
  }

  /** Calls a plugin and reads its chunks as they come; breaking off cancels the call. */
  stream<O = unknown>(id: string, input?: unknown, options?: ExecuteOptions): AsyncIterable<O> {
    const supervisor = this.#registry.get(id);
    const { dispatcher } = supervisor;
    const receiver = new StreamReceiver(
      this.#receiverOptions(supervisor),
      (call, chunks) => {
        dispatcher.grant(call, chunks);
      },
      (call) => {
        dispatcher.expire(call, 'CALL_ABORTED');
      },
    );
    receiver.call = supervisor.accept({
      payload: encodeFor(supervisor, input, options),
      receiver,
      flags: FLAG.stream | (options?.idempotent === true ? FLAG.idempotent : 0),
      timeoutMs: options?.timeoutMs ?? supervisor.plan.limits.callTimeoutMs,
      signal: options?.signal,
    });
    return receiver.chunks as AsyncIterable<O>;
  }

  /** A typed handle: the same verbs without the id. */
  plugin<I = unknown, O = unknown>(id: string): PluginHandle<I, O> {
    this.#registry.get(id);
    return createHandle(this, id);
  }

  state(id: string): PluginState {
    return this.#registry.get(id).state;
  }

  listPlugins(): PluginListing[] {
    return this.#registry.list();
  }

  getByType(type: PluginType): string[] {
    return this.#registry.byType(type);
  }

  findByCapability(name: string): string[] {
    return this.#registry.byCapability(name);
  }

  /** Bounded in time, and never blocked by a busy plugin. */
  async health(id: string): Promise<HealthReport> {
    return this.#registry.get(id).health();
  }

  async healthCheckAll(): Promise<Map<string, boolean>> {
    const reports = this.#registry.all().map(async (supervisor): Promise<[string, boolean]> => {
      const { healthy } = await supervisor.health();
      return [supervisor.id, healthy];
    });
    return new Map(await Promise.all(reports));
  }

  /** `undefined` for an unknown id. */
  async stats(id: string): Promise<PluginStats | undefined> {
    return this.#registry.find(id)?.stats();
  }

  async statsAll(): Promise<Map<string, PluginStats>> {
    const all = this.#registry.all().map(async (supervisor): Promise<[string, PluginStats]> => {
      return [supervisor.id, await supervisor.stats()];
    });
    return new Map(await Promise.all(all));
  }

  /** Hears kernel events of one type, or with `*` of all. Returns what ends it. */
  on<T extends KernelEventType>(type: T | '*', listener: KernelListener<T>): () => void {
    return this.#events.on(type, listener);
  }

  /** Every kernel event from now on. */
  events(): AsyncIterable<KernelEvent> {
    return this.#events.events();
  }

  #add(plan: PluginPlan): void {
    const { id } = plan.metadata;
    if (this.#registry.find(id)) {
      throw new PluginError(
        'ALREADY_REGISTERED',
        `a plugin ${id} is registered already; unregister it first, or choose another id`,
        {
          pluginId: id,
        },
      );
    }
    const supervisor: Supervisor = new Supervisor({
      plan,
      agentId: this.id,
      createLife: createThread,
      prepareEntry,
      outgoing: (life, frame) => {
        this.#sessionOf(supervisor, life).onFrame(frame);
      },
      lifeEnded: (life) => {
        this.#sessions.get(life)?.end();
        this.#sessions.delete(life);
        this.#services.locks.releaseAll(life);
      },
      emit: (event, generation) => {
        this.#tell(id, generation, event);
      },
    });
    this.#registry.add(supervisor);
    this.#events.emit('registered', id, 0, {});
  }

  #sessionOf(caller: Supervisor, life: Life): Session {
    const known = this.#sessions.get(life);
    if (known) return known;
    const session = new Session({
      caller,
      life,
      find: (id) => this.#registry.find(id),
      serve: (asking, request, to) => serve(this.#services, asking, request, to),
    });
    this.#sessions.set(life, session);
    return session;
  }

  #tell(id: string, generation: number, event: SupervisorEvent): void {
    const events = this.#events;
    switch (event.type) {
      case 'state-changed':
        events.emit('state-changed', id, generation, { from: event.from, to: event.to });
        return;
      case 'crashed':
        events.emit('crashed', id, generation, { crash: event.crash });
        return;
      case 'restarting':
        events.emit('restarting', id, generation, { delayMs: Number(event.data['delayMs'] ?? 0) });
        return;
      case 'restarted':
        events.emit('restarted', id, generation, {});
        return;
      case 'gave-up':
        events.emit('gave-up', id, generation, { why: String(event.data['why']) });
        return;
      case 'dead-letter':
        events.emit('dead-letter', id, generation, { callId: event.callId, reason: event.reason });
        return;
      case 'log':
        events.emit('log', id, generation, { fields: undefined, ...event.line });
        return;
      case 'warning':
        events.emit('warning', id, generation, { message: event.message });
    }
  }

  #receiverOptions({
    id,
    plan,
    generation,
  }: Supervisor): ConstructorParameters<typeof PromiseReceiver>[0] {
    return {
      pluginId: id,
      limits: plan.limits,
      onProgress: (progress) => {
        this.#events.emit('progress', id, generation, progress);
      },
    };
  }

  async #perform(id: string, verb: Verb): Promise<void> {
    if (verb !== 'unload' && verb !== 'stop') this.#refuseClosed();
    await this.#registry.get(id).perform(verb);
  }

  async #close(): Promise<CloseReport> {
    const problems = await settleAll(this.#registry, ['unload']);
    for (const supervisor of this.#registry.all()) supervisor.dispatcher.close();
    this.#events.close();
    return { clean: problems.length === 0, problems };
  }

  #refuseClosed(): void {
    if (!this.#closing) return;
    throw new PluginError('INVALID_STATE', `the manager ${this.id} is closed`);
  }
}

function encodeFor({ id, plan }: Supervisor, input: unknown, options?: ExecuteOptions): Payload {
  try {
    return encode(input, plan.limits, options?.transfer);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new PluginError(error.code, `the input for ${id} cannot be sent: ${error.message}`, {
      pluginId: id,
      data: error.data,
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
