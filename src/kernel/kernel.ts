/**
 * The wiring of one manager: its plugins, the services they share, the events that come of them.
 * It knows no verbs of the public API; manager.ts does.
 */
import path from 'node:path';
import process from 'node:process';

import type { PluginPlan } from '../protocol/manifest.ts';
import type { ActorLink } from '../supervisor/call-target.ts';
import type { SupervisorEvent } from '../supervisor/chronicle.ts';
import type { Keeper } from '../supervisor/keeper.ts';
import type { Life, LifeRequest } from '../supervisor/life.ts';
import { createPool } from '../supervisor/pool.ts';
import { createProcess } from '../supervisor/process.ts';
import { ReplicaSet } from '../supervisor/replica-set.ts';
import { endSpare, keepSpare } from '../supervisor/spare-thread.ts';
import { Succession } from '../supervisor/succession.ts';
import { Supervisor } from '../supervisor/supervisor.ts';
import type { SupervisorOptions } from '../supervisor/surroundings.ts';
import { createThread } from '../supervisor/thread.ts';
import { MANIFEST_FILE, type PlanOrigin } from './discover.ts';
import { prepareEntry } from './entry.ts';
import { EventHub } from './event-hub.ts';
import { settleAll } from './fleet.ts';
import { heapFlagOf, heapFlagWarning } from './heap-flag.ts';
import { KernelEvents, type FieldsOf, type KernelEventType } from './kernel-events.ts';
import { Locks } from './locks.ts';
import { PluginWatch } from './plugin-watch.ts';
import { Registry } from './registry.ts';
import { serve, type Services } from './services.ts';
import { Session } from './session.ts';
import { SharedMemory } from './shared-memory.ts';
import { StateStore } from './state-store.ts';
import { checkedSuccessor } from './successor.ts';
import { locate } from './syntax.ts';
import type { CloseReport } from './types.ts';

export class Kernel {
  readonly id: string;
  readonly registry = new Registry();
  readonly events = new KernelEvents();
  readonly services: Services = {
    state: new StateStore(),
    events: new EventHub(),
    locks: new Locks(),
    memory: new SharedMemory(),
    registry: this.registry,
  };
  readonly #sessions = new Map<ActorLink, Session>();
  readonly #watches = new Map<string, { watch: PluginWatch; begun: Promise<void> }>();
  /** What else is to be ended with the manager. */
  readonly endings = new Set<() => Promise<void>>();
  #heapFlagChecked = false;
  /** All that were enabled were brought up: so is what comes later. */
  isUp = false;

  /** @param id the agent's: what plugins see as `ctx.agentId`. */
  constructor(id: string) {
    this.id = id;
  }

  /**
   * @param origin where it came from, if a reload is to look there again.
   * @throws PluginError `ALREADY_REGISTERED`.
   */
  add(plan: PluginPlan, origin?: PlanOrigin): Succession {
    const { id } = plan.metadata;
    this.registry.refuseTaken(id);
    const options: Omit<SupervisorOptions, 'plan' | 'emit'> = {
      agentId: this.id,
      createLife: (request) => this.#createLife(request),
      prepareEntry,
      outgoing: (link, frame) => {
        this.#sessionOf(keeper, link).onFrame(frame);
      },
      hungUp: (link) => {
        this.#sessions.get(link)?.end();
        this.#sessions.delete(link);
        this.services.locks.releaseAll(link);
      },
    };
    const keeper = new Succession({
      plan,
      create: (version, own, before) => {
        const { replicas } = version;
        const all = { ...options, ...own, plan: version };
        return replicas ? new ReplicaSet(all, replicas, before) : new Supervisor(all);
      },
      nextPlan: async () => {
        const next = (await origin?.read()) ?? keeper.plan;
        const checked = checkedSuccessor(this.registry, id, next);
        await watch.mark(checked);
        return checked;
      },
      explain: locate,
      emit: (event, generation, replica) => {
        if (event.type === 'reload-completed') watch.served();
        this.#tell({ id, generation, replica }, event);
      },
    });
    const watch = new PluginWatch({
      keeper,
      manifest: origin && path.join(origin.folder, MANIFEST_FILE),
      failed: (error) => {
        const message = `the files of ${id} cannot be watched: ${String(error)}`;
        this.events.emit('warning', id, keeper.generation, { message });
      },
    });
    this.#watches.set(id, { watch, begun: watch.mark(plan) });
    this.registry.add(keeper);
    this.events.emit('registered', id, 0, {});
    return keeper;
  }

  /** Settles when the files of a plugin are watched, where they are to be. */
  async isWatching(id: string): Promise<void> {
    await this.#watches.get(id)?.begun;
  }

  /** Unloads a plugin if need be, and forgets it. */
  async remove(id: string): Promise<void> {
    const keeper = this.registry.get(id);
    try {
      await this.#unwatch(id);
      await keeper.perform('unload');
    } finally {
      keeper.close();
      this.registry.remove(id);
      this.events.emit('unregistered', id, keeper.generation, {});
    }
  }

  /** Unloads everything; never rejects. */
  async close(): Promise<CloseReport> {
    const { registry } = this;
    for (const group of registry.groups.values()) group.close();
    await Promise.all([...this.endings].map((end) => end()));
    await Promise.all(registry.ids().map((id) => this.#unwatch(id)));
    const problems = await settleAll(registry, ['unload']);
    for (const keeper of registry.all()) keeper.close();
    this.services.state.close();
    this.events.close();
    await endSpare();
    await portsAreClosed();
    return { clean: problems.length === 0, problems };
  }

  async #unwatch(id: string): Promise<void> {
    const watched = this.#watches.get(id);
    this.#watches.delete(id);
    await watched?.watch.close();
  }

  #createLife(request: LifeRequest): Life {
    if (request.plan.isolation === 'process') return createProcess(request);
    if (request.plan.limits.memoryMb !== undefined && !this.#heapFlagChecked) {
      this.#heapFlagChecked = true;
      const flag = heapFlagOf(process.execArgv, process.env['NODE_OPTIONS']);
      if (flag !== undefined) {
        this.events.emit('warning', this.id, 0, { message: heapFlagWarning(flag) });
      }
    }
    return request.plan.isolation === 'pool' ? createPool(request) : createThread(request);
  }

  #sessionOf(caller: Keeper, link: ActorLink): Session {
    const known = this.#sessions.get(link);
    if (known) return known;
    const session = new Session({
      caller,
      link,
      find: (id) => this.registry.find(id),
      serve: (asking, request, to) => serve(this.services, asking, request, to),
    });
    this.#sessions.set(link, session);
    return session;
  }

  #tell({ id, generation, replica }: Told, event: SupervisorEvent): void {
    const { events } = this;
    const of = replica === undefined ? {} : { replica };
    const tell = <T extends KernelEventType>(type: T, fields: FieldsOf<T>): void => {
      events.emit(type, id, generation, { ...fields, ...of });
    };
    switch (event.type) {
      case 'state-changed':
        tell('state-changed', { from: event.from, to: event.to });
        return;
      case 'replica-changed':
        tell('replica-changed', { replica: replica ?? 0, from: event.from, to: event.to });
        return;
      case 'scaled':
        tell('scaled', { from: event.from, to: event.to });
        return;
      case 'crashed':
        tell('crashed', { crash: event.crash });
        return;
      case 'restarting':
        tell('restarting', { delayMs: Number(event.data['delayMs'] ?? 0) });
        return;
      case 'restarted':
        if (this.registry.find(id)?.plan.isolation === 'thread') keepSpare();
        tell('restarted', groupOf(this.registry.groupOf(id)));
        return;
      case 'reload-started':
        tell('reload-started', { from: event.from });
        return;
      case 'reload-completed': {
        const { from, to, attempts, statePreserved, durationMs } = event;
        tell('reload-completed', { from, to, attempts, statePreserved, durationMs });
        return;
      }
      case 'reload-failed': {
        const { from, to, attempts, durationMs, error } = event;
        tell('reload-failed', { from, to, attempts, durationMs, error });
        return;
      }
      case 'rolled-back':
        tell('rolled-back', { to: event.to, attempt: event.attempt, error: event.error });
        return;
      case 'state-preserved':
      case 'state-restored':
        tell(event.type, { bytes: event.bytes });
        return;
      case 'gave-up':
        tell('gave-up', { why: String(event.data['why']) });
        return;
      case 'unresponsive': {
        const { reason, stack } = event;
        tell('unresponsive', { reason, stack });
        return;
      }
      case 'memory-limit': {
        const { heapUsedBytes, externalBytes, limitBytes } = event;
        tell('memory-limit', { heapUsedBytes, externalBytes, limitBytes });
        return;
      }
      case 'dead-letter': {
        const { number, callId, reason, message, deliveries, bytes } = event.letter;
        const fields = { number, callId, reason, message, deliveries, bytes };
        tell('dead-letter', fields);
        return;
      }
      case 'log':
        tell('log', { fields: undefined, ...event.line });
        return;
      case 'warning':
        tell('warning', { message: event.message });
    }
  }
}

/** Of whom something is told. */
interface Told {
  id: string;
  generation: number;
  replica: number | undefined;
}

/** The name of a group in an event, where there is one. */
function groupOf(group: string | undefined): { group?: string } {
  return group === undefined ? {} : { group };
}

/** A port that was closed leaves the event loop at the end of a turn; then nothing of ours is left. */
async function portsAreClosed(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
