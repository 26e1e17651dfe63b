/**
 * A plugin with calls in every stage, one of which makes it go wrong, and the three claims of
 * whatever goes wrong: every call settles exactly once, the kernel lives, and a healthy neighbour
 * neither fails nor gets slow.
 */
import assert from 'node:assert/strict';

import type { CrashReport, KernelEvent, PluginHandle, PluginManager, PluginStats } from 'troupe';

import { eventsOf, recordEvents } from './events.ts';
import { eventually } from './eventually.ts';
import { createManager, EAGER_RESTART, run, type SpecOptions } from './manager.ts';
import { startNeighbour, type Neighbour } from './neighbour.ts';
import { codeOf, readAll } from './outcomes.ts';
import { soon } from './soon.ts';

export type Isolation = 'thread' | 'process';

export const ISOLATIONS: readonly Isolation[] = ['thread', 'process'];

/** What a call is told to do, and how it is made. */
export interface Deed {
  do: string;
  [argument: string]: unknown;
}

/** Those beside the plugin at fault start fastest so, and feel a main thread that stands still. */
const BESIDE = { isolation: 'thread' } as const;

/** As much as a deed and the calls beside it need; whatever comes more waits. */
const CONCURRENCY = 5;
/** Calls that wait inside the plugin before anything is done. */
const BEGUN = 4;
/** The longest that anything in a scene takes: a hang has its deadline, its grace and its end. */
const SETTLED_MS = 45_000;

export class FailureScene {
  readonly manager: PluginManager;
  readonly plugin: PluginHandle;
  readonly events: KernelEvent[];
  readonly #neighbour: Neighbour;
  readonly #outcomes = new Map<string, Promise<string>>();
  #calls = 0;
  #begun = 0;

  private constructor(manager: PluginManager, plugin: PluginHandle, neighbour: Neighbour) {
    this.manager = manager;
    this.plugin = plugin;
    this.events = recordEvents(manager);
    this.#neighbour = neighbour;
  }

  /** Everybody is up, and calls are begun; none of them has ended. */
  static async open(isolation: Isolation, options: SpecOptions = {}): Promise<FailureScene> {
    const manager = createManager();
    const [plugin, neighbour] = await Promise.all([
      run(manager, 'saboteur.mjs', {
        isolation,
        concurrency: CONCURRENCY,
        restart: EAGER_RESTART,
        ...options,
      }),
      startNeighbour(manager, BESIDE),
      run(manager, 'relay.mjs', { ...BESIDE, concurrency: CONCURRENCY }),
    ]);
    const scene = new FailureScene(manager, plugin, neighbour);
    await scene.begin();
    await neighbour.isUnderWay();
    return scene;
  }

  /** Calls that begin, and wait inside the plugin. */
  async begin(): Promise<void> {
    const { plugin } = this;
    const life = (await plugin.stats())?.generation;
    this.ask('begun', { do: 'hold' });
    this.ask('begun, idempotent', { do: 'hold', life }, { idempotent: true });
    this.read('begun stream', { do: 'steps' });
    this.relay('begun, from a plugin', { do: 'hold' });
    this.#begun += BEGUN;
    await eventually(async () => {
      assert.equal(await this.manager.context.state.get('begun'), this.#begun);
    });
  }

  /**
   * One life after the other ends by a deed, each with calls in every stage, and the three claims
   * hold. A deed with a timeout is one that does not end by itself.
   *
   * @returns the crashes, in order.
   */
  async dies(deeds: readonly Deed[], timeoutMs?: number): Promise<CrashReport[]> {
    for (const [index, deed] of deeds.entries()) {
      if (index > 0) await this.begin();
      const outcomes = await this.settles(deed, timeoutMs === undefined ? {} : { timeoutMs });
      const expected = crashed(timeoutMs === undefined ? 'PLUGIN_CRASHED' : 'CALL_TIMEOUT');
      assert.deepEqual({ ...outcomes, after: deed.do }, { ...expected, after: deed.do });
    }
    await this.survived({ lives: deeds.length + 1 });
    const crashes = eventsOf(this.events, 'crashed');
    const lives = crashes.map(({ generation }) => generation);
    assert.deepEqual(
      lives,
      Array.from(deeds, (_, index) => index + 1),
    );
    return crashes.map(({ crash }) => crash);
  }

  /** Does it, with more calls behind it, and gives the stages they were in with what became of them. */
  async settles(deed: Deed, options: { timeoutMs?: number } = {}): Promise<Record<string, string>> {
    this.ask('deed', deed, options);
    this.ask('waiting', { do: 'echo', value: 'answered' });
    this.read('waiting stream', { do: 'chunks', count: 2 });
    this.relay('waiting, from a plugin', { do: 'echo', value: 'answered' });
    return this.outcomes();
  }

  async outcomes(): Promise<Record<string, string>> {
    const entries = Array.from(this.#outcomes, async ([stage, outcome]) => [stage, await outcome]);
    return Object.fromEntries(await soon(Promise.all(entries), SETTLED_MS)) as Record<
      string,
      string
    >;
  }

  ask(stage: string, deed: Deed, options: { timeoutMs?: number; idempotent?: boolean } = {}): void {
    this.#keep(stage, this.plugin.execute(deed, options));
  }

  read(stage: string, deed: Deed): void {
    const reading = readAll(this.plugin.stream(deed)).then(({ chunks, error }) => {
      const end = error === undefined ? 'the end' : codeOf(error);
      return `${chunks.join(', ')}, ${end}`;
    });
    this.#keep(stage, reading);
  }

  relay(stage: string, deed: Deed): void {
    const call = this.manager.execute('relay', {
      do: 'call and catch',
      to: this.plugin.id,
      input: deed,
    });
    const said = call.then((answer) =>
      typeof answer === 'object' && answer !== null && 'code' in answer
        ? String(answer.code)
        : answer,
    );
    this.#keep(stage, said);
  }

  /** Calls that a test made itself count, too. */
  made(calls: number): void {
    this.#calls += calls;
  }

  /** The calls that wait inside it may end now. */
  async letGo(): Promise<void> {
    await this.manager.context.state.set('go', true);
  }

  /** The rest of the three claims. @returns its stats when all is quiet. */
  async survived({ lives }: { lives: number }): Promise<PluginStats> {
    assert.equal(await soon(this.plugin.execute({ do: 'generation' })), lives);
    this.#calls++;
    const stats = await this.quiet();
    const { state, generation, restarts } = stats;
    assert.deepEqual(
      { state, generation, restarts },
      { state: 'running', generation: lives, restarts: lives - 1 },
    );
    await this.kernelLives();
    return stats;
  }

  /** Every call is accounted for once. */
  async quiet(): Promise<PluginStats> {
    return eventually(async () => {
      const stats = await this.plugin.stats();
      if (!stats) throw new Error('no stats');
      const { started, inFlight, queued, ...settled } = stats.calls;
      const { deadLetters: _, ...ends } = settled;
      const sum = Object.values(ends).reduce((total, count) => total + count, 0);
      const all = { started: this.#calls, inFlight: 0, queued: 0, sum: this.#calls };
      assert.deepEqual({ started, inFlight, queued, sum }, all);
      return stats;
    });
  }

  /** Plugins come, answer and go as ever, and the neighbour noticed nothing. */
  async kernelLives(): Promise<void> {
    const another = await run(this.manager, 'echo.mjs', BESIDE);
    assert.equal(await another.execute('hello'), 'hello');
    await another.unregister();
    await this.#neighbour.isUnharmed();
    await this.#neighbour.wasNotSlow();
  }

  #keep(stage: string, call: Promise<unknown>): void {
    this.#calls++;
    this.#outcomes.set(stage, call.then(String, codeOf));
  }
}

/** What becomes of the calls around a deed that ends the life of the plugin. */
export function crashed(deed: string): Record<string, string> {
  return {
    'begun': 'PLUGIN_CRASHED',
    'begun, idempotent': 'delivered again',
    'begun stream': '0, 1, PLUGIN_CRASHED',
    'begun, from a plugin': 'PLUGIN_CRASHED',
    deed,
    'waiting': 'answered',
    'waiting stream': '0, 1, the end',
    'waiting, from a plugin': 'answered',
  };
}

/** What becomes of them where the deed harms its own call at most, once they are let go. */
export function unharmed(deed: string): Record<string, string> {
  return {
    ...crashed(deed),
    'begun': 'held',
    'begun, idempotent': 'held',
    'begun stream': '0, 1, the end',
    'begun, from a plugin': 'held',
  };
}
