/** The verbs of a chaos run: asked for at any time, and held against what may come of them. */
import { setImmediate as nextTurn } from 'node:timers/promises';

import { PluginError, type PluginManager } from 'troupe';

import type { Member } from './cast.ts';
import type { Random } from './random.ts';

const VERBS = ['pause', 'resume', 'stop', 'start', 'restart', 'unload', 'load', 'init'] as const;
type Verb = (typeof VERBS)[number];

/** A plugin may end in the middle of each, and no state allows all. */
const ANY_TIME = new Set(['ok', 'INVALID_STATE', 'PLUGIN_STOPPED', 'PLUGIN_CRASHED']);
const FURTHER: Partial<Record<Verb, readonly string[]>> = {
  // no rest within the limit: a call that waits for somebody else
  pause: ['CALL_TIMEOUT'],
  stop: ['STOP_TIMEOUT'],
  unload: ['STOP_TIMEOUT'],
};

/** The way to `running`, from each state where a plugin waits for a verb. */
const NEXT: Record<string, Verb> = {
  unloaded: 'load',
  loaded: 'init',
  initialized: 'start',
  paused: 'resume',
  failed: 'restart',
};

/** Longer than what is blocked in the system keeps a plugin down (ms). */
const MEND_MS = 30_000;

export class Verbs {
  readonly problems: string[] = [];
  /** How often each ending was seen. */
  readonly endings = new Map<string, number>();
  readonly #manager: PluginManager;
  readonly #open = new Set<Promise<void>>();
  readonly #mending = new Map<string, Promise<void>>();

  constructor(manager: PluginManager) {
    this.#manager = manager;
  }

  /** Asks, and does not wait. */
  ask(random: Random, step: number, { id }: Member): void {
    void this.#perform(random.pick(VERBS), id, step);
  }

  /** Brings back who is down, or paused: one verb after the other, again and again. */
  mend({ id }: Member, step: number): Promise<void> {
    const under = this.#mending.get(id);
    if (under) return under;
    const mending = this.#mend(id, step).finally(() => this.#mending.delete(id));
    this.#mending.set(id, mending);
    return mending;
  }

  async settled(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open);
  }

  async #mend(id: string, step: number): Promise<void> {
    const until = performance.now() + MEND_MS;
    while (performance.now() < until) {
      const verb = NEXT[this.#manager.state(id)];
      if (verb === undefined) return;
      await this.#perform(verb, id, step);
      await nextTurn();
    }
    this.problems.push(`${id} stays ${this.#manager.state(id)}, whatever is done`);
  }

  #perform(verb: Verb, id: string, step: number): Promise<void> {
    const done = this.#manager[verb](id).then(
      () => {
        this.#note(verb, id, step, 'ok');
      },
      (error: unknown) => {
        const code = error instanceof PluginError ? error.code : 'no PluginError';
        this.#note(verb, id, step, code, error);
      },
    );
    this.#open.add(done);
    return done.finally(() => this.#open.delete(done));
  }

  #note(verb: Verb, id: string, step: number, ending: string, error?: unknown): void {
    const what = `${verb}: ${ending}`;
    this.endings.set(what, (this.endings.get(what) ?? 0) + 1);
    if (ANY_TIME.has(ending) || FURTHER[verb]?.includes(ending)) return;
    // the threads it left behind are still blocked in the system: it may not start more of them
    if (error instanceof PluginError && error.data['zombies'] !== undefined) return;
    this.problems.push(`step ${String(step)}: ${verb} of ${id} ended with ${String(error)}`);
  }
}
