/**
 * What a supervisor would have under way for a machine: a life, its work, a timer, a verb. It
 * performs effects in this model, and refuses any that a supervisor could not perform.
 */
import assert from 'node:assert/strict';

import {
  INITIAL,
  transition,
  type Effect,
  type Intent,
  type LifecycleEvent,
  type Machine,
  type Verb,
} from '../../src/supervisor/machine.ts';
import { ENV, EVENTS, phaseInWords, type EventName } from './lifecycle.ts';

export class World {
  machine: Machine = INITIAL;
  verb: Verb | undefined;
  #now = 0;
  #alive = false;
  #working = false;
  #ending = false;
  #retryArmed = false;
  readonly #managed: boolean;

  /** @param managed a group decides: whatever waits, waits for its orders. */
  constructor(managed = false) {
    this.#managed = managed;
  }

  /** Verbs are serialised; but those that wait for a restart give way where a stop is behind them. */
  perform(verb: Verb): void {
    if (this.verb && this.machine.phase.at !== 'restarting') return;
    this.verb = verb;
    this.#feed({ type: verb });
  }

  /** What may happen next, verbs apart. */
  *possible(): Iterable<EventName> {
    if (this.#working && !this.#ending) {
      yield* ['done', 'fails', 'fails-for-good', 'overdue'] as const;
    }
    if (this.#alive) yield* ['exits', 'shuts-down', 'crashes'] as const;
    if (this.#retryArmed) yield 'retry';
    if (this.#waitsForGroup) yield 'revive';
  }

  /** What happens next where nothing goes wrong: in a settled state, nothing. */
  goWell(): void {
    if (this.#ending) this.happen('exits');
    else if (this.#working) this.happen('done');
    else if (this.#retryArmed) this.happen('retry');
    else if (this.#waitsForGroup) this.happen('revive');
  }

  get #waitsForGroup(): boolean {
    const { phase } = this.machine;
    return this.#managed && phase.at === 'restarting' && phase.step === 'waiting';
  }

  happen(name: EventName): void {
    if (DEATHS.has(name)) this.#gone();
    else if (ORDERS.has(name)) assert.ok(this.#managed, `${name} without a group`);
    else if (name === 'retry') this.#retryArmed = false;
    else this.#working = false;
    this.#feed(EVENTS[name]);
  }

  #feed(event: LifecycleEvent): void {
    this.#now += 50;
    const before = phaseInWords(this.machine.phase);
    const { machine, effects } = transition(this.machine, event, {
      ...ENV,
      managed: this.#managed,
      now: this.#now,
    });
    this.machine = machine;
    const after = phaseInWords(machine.phase);
    if (after === 'running' && before !== 'running') {
      assert.ok(LEADS_TO_RUNNING.has(before), `running from ${before}`);
    }
    const outcomes = effects.filter((effect) => effect.do === 'settle');
    assert.ok(outcomes.length <= 1, `several outcomes of one step, ${before} → ${after}`);
    for (const effect of effects) this.#perform(effect, effects);
    this.#check(`${after} after ${event.type} in ${before}`);
  }

  #perform(effect: Effect, effects: readonly Effect[]): void {
    switch (effect.do) {
      case 'spawn':
        assert.ok(!this.#alive, 'a second life beside the first');
        assert.ok(!this.#retryArmed, 'a restart beside the one that waits');
        this.#alive = true;
        this.#working = true;
        return;
      case 'hook':
      case 'shutdown':
        assert.ok(this.#alive && !this.#ending, `${effect.do} needs a life`);
        this.#working = true;
        return;
      case 'end':
        if (effect.awaited) this.#ending = this.#alive;
        else this.#gone();
        return;
      case 'retry-in':
        assert.ok(!this.#managed, 'a restart that the group did not order');
        this.#retryArmed = true;
        return;
      case 'report-end':
        assert.ok(this.#managed, 'nobody is there to report to');
        assert.equal(effects.at(-1), effect, 'a report before the step is over');
        return;
      case 'cancel-retry':
        this.#retryArmed = false;
        return;
      case 'settle':
        assert.ok(DONE_WITH.has(this.machine.phase.at), `settled in ${this.machine.phase.at}`);
        this.verb = undefined;
        return;
      case 'drop-waiting':
      case 'tell':
    }
  }

  #gone(): void {
    this.#alive = false;
    this.#working = false;
    this.#ending = false;
  }

  #check(where: string): void {
    const { phase, intent } = this.machine;
    assert.ok(INTENTS[phase.at].includes(intent), `intent ${intent} in ${where}`);
    // what refuses every verb is a verb's own way: who comes next waits for its end
    assert.ok(this.verb ?? DONE_WITH.has(phase.at), `no verb is open in ${where}`);
    if (phase.at === 'unloaded' || phase.at === 'failed') {
      assert.deepEqual([...this.possible()], [], `something is under way in ${where}`);
      assert.equal(this.verb, undefined, `a verb is open in ${where}`);
    }
  }
}

const ORDERS: ReadonlySet<EventName> = new Set(['halt', 'revive', 'give-up']);

const DEATHS: ReadonlySet<EventName> = new Set(['exits', 'shuts-down', 'crashes']);

const LEADS_TO_RUNNING = new Set([
  'starting',
  'resuming',
  'pausing',
  'restarting/starting',
  'restarting/resuming',
]);

/** Phases a verb may end in; `restarting` for `load` and `init`, which are more than reached there. */
const DONE_WITH = new Set([
  'unloaded',
  'loaded',
  'initialized',
  'running',
  'paused',
  'failed',
  'restarting',
]);

/** What may be wanted in each phase. */
export const INTENTS: Record<Machine['phase']['at'], Intent[]> = {
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
  restarting: ['running', 'paused'],
  failed: ['loaded', 'initialized', 'running', 'paused'],
};
