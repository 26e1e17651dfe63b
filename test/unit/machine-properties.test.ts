import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { DEFAULT_RESTART } from '../../src/protocol/limits.ts';
import {
  INITIAL,
  transition,
  VERBS,
  type Effect,
  type Intent,
  type LifecycleEvent,
  type Machine,
  type Verb,
} from '../../src/supervisor/machine.ts';
import { ENV, EVENTS, phaseInWords, type EventName } from '../support/lifecycle.ts';

/** What a supervisor would have under way for a machine: a life, its work, a timer, a verb. */
class World {
  machine: Machine = INITIAL;
  verb: Verb | undefined;
  now = 0;
  #alive = false;
  #working = false;
  #ending = false;
  #retryArmed = false;

  feed(event: LifecycleEvent): void {
    this.now += 50;
    const before = this.machine;
    const step = transition(before, event, { ...ENV, now: this.now });
    this.machine = step.machine;
    const { at } = step.machine.phase;
    if (at === 'running' && before.phase.at !== 'running') {
      expect(LEADS_TO_RUNNING).toContain(phaseInWords(before.phase));
    }
    const outcomes = step.effects.filter((effect) => effect.do === 'settle');
    expect(outcomes.length, 'outcomes of one step').toBeLessThanOrEqual(1);
    for (const effect of step.effects) this.#perform(effect);
    this.#check(event);
  }

  /** What may happen next, verbs apart. */
  *possible(): Iterable<EventName> {
    if (this.#working && !this.#ending)
      yield* ['done', 'fails', 'fails-for-good', 'overdue'] as const;
    if (this.#alive) yield* ['exits', 'shuts-down', 'crashes'] as const;
    if (this.#retryArmed) yield 'retry';
  }

  happen(name: EventName): void {
    if (DEATHS.has(name)) this.#gone();
    else if (name === 'retry') this.#retryArmed = false;
    else this.#working = false;
    this.feed(EVENTS[name]);
  }

  /** Verbs are serialised; but one that waits for a restart gives way where the plugin is to go. */
  perform(verb: Verb): void {
    const givesWay =
      this.machine.phase.at === 'restarting' && (verb === 'stop' || verb === 'unload');
    if (this.verb && !givesWay) return;
    this.verb = verb;
    this.feed({ type: verb });
  }

  #perform(effect: Effect): void {
    switch (effect.do) {
      case 'spawn':
        expect(this.#alive, 'a second life beside the first').toBe(false);
        expect(this.#retryArmed, 'a restart beside the one that waits').toBe(false);
        this.#alive = true;
        this.#working = true;
        this.#ending = false;
        return;
      case 'hook':
      case 'shutdown':
        expect(this.#alive && !this.#ending, `${effect.do} needs a life`).toBe(true);
        this.#working = true;
        return;
      case 'end':
        this.#working = false;
        if (effect.awaited) this.#ending = this.#alive;
        else this.#gone();
        return;
      case 'retry-in':
        this.#retryArmed = true;
        return;
      case 'cancel-retry':
        this.#retryArmed = false;
        return;
      case 'settle':
        expect(DONE_WITH, 'settled in the middle').toContain(this.machine.phase.at);
        this.verb = undefined;
    }
  }

  #gone(): void {
    this.#alive = false;
    this.#working = false;
    this.#ending = false;
  }

  #check(event: LifecycleEvent): void {
    const { phase, intent } = this.machine;
    const where = `${phaseInWords(phase)} after ${event.type}`;
    expect(INTENTS[phase.at], `intent in ${where}`).toContain(intent);
    if (phase.at === 'unloaded' || phase.at === 'failed') {
      expect([...this.possible()], `nothing is under way in ${where}`).toEqual([]);
      expect(this.verb, `no verb is open in ${where}`).toBeUndefined();
    }
  }
}

const DEATHS: ReadonlySet<EventName> = new Set(['exits', 'shuts-down', 'crashes']);
const LEADS_TO_RUNNING = ['starting', 'resuming', 'pausing', 'restarting/starting'];
/** Phases a verb may end in; `restarting` for `load` and `init`, which are more than reached there. */
const DONE_WITH = [
  'unloaded',
  'loaded',
  'initialized',
  'running',
  'paused',
  'failed',
  'restarting',
];
const UP: Intent[] = ['running', 'paused'];
const INTENTS: Record<Machine['phase']['at'], Intent[]> = {
  unloaded: ['unloaded'],
  loading: ['loaded'],
  loaded: ['loaded'],
  initializing: ['initialized'],
  initialized: ['initialized'],
  starting: ['running'],
  running: ['running'],
  pausing: ['paused'],
  paused: ['paused'],
  resuming: ['running'],
  stopping: ['initialized'],
  unloading: ['unloaded'],
  restarting: UP,
  failed: ['loaded', 'initialized', 'running', 'paused'],
};

const step = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...VERBS) },
  { weight: 3, arbitrary: fc.nat() },
);

describe('the lifecycle machine, through any history', () => {
  it('stays consistent, and settles every verb exactly once', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const world = new World();
        for (const next of steps) {
          if (typeof next === 'string') world.perform(next);
          else {
            const possible = [...world.possible()];
            const name = possible[next % possible.length];
            if (name) world.happen(name);
          }
        }
        settle(world);
      }),
      { numRuns: 2_000 },
    );
  });

  it('never throws, in whatever order events come', () => {
    const names = Object.keys(EVENTS) as EventName[];
    const restart = fc.record({
      type: fc.constantFrom('permanent' as const, 'transient' as const, 'temporary' as const),
      intensity: fc.nat(4),
    });
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...names)), restart, (events, options) => {
        let machine = INITIAL;
        for (const name of events) {
          const env = { ...ENV, restart: { ...DEFAULT_RESTART, ...options } };
          machine = transition(machine, EVENTS[name], env).machine;
          expect(INTENTS[machine.phase.at]).toContain(machine.intent);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

/** From here on everything goes well: a verb that is open must get its outcome. */
function settle(world: World): void {
  for (let turn = 0; world.verb && turn < 20; turn++) {
    const possible = [...world.possible()];
    const next = GOES_WELL.find((name) => possible.includes(name));
    if (!next) break;
    world.happen(next);
  }
  expect(world.verb, `in ${phaseInWords(world.machine.phase)}`).toBeUndefined();
}

const GOES_WELL: EventName[] = ['done', 'retry', 'exits'];
