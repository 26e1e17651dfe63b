/** Any history of a plugin: verbs, faults and time, drawn at random and played to its end. */
import { vi } from 'vitest';

import type { PluginState } from '../../src/protocol/report.ts';
import type { Version } from '../../src/supervisor/keeper.ts';
import type { Verb } from '../../src/supervisor/machine.ts';
import type { FakeLife, Question, Script } from './fake-life.ts';
import { fc } from './properties.ts';
import { turns } from './turns.ts';

export const QUESTIONS: readonly Question[] = [
  'open',
  'load',
  'init',
  'start',
  'pause',
  'resume',
  'shutdown',
];
export const DEATHS = ['exit', 'uncaught', 'normal', 'hang'] as const;
/** Where any history that is long enough leads. */
export const STATES: PluginState[] = ['unloaded', 'running', 'paused', 'restarting', 'failed'];

export interface Choice {
  weight: number;
  choice: fc.Arbitrary<unknown>;
}

/** One act: which it is, by weight, and what is drawn for it. */
export function actOf<Name extends string>(
  acts: Record<Name, Choice>,
): fc.Arbitrary<[Name, unknown]> {
  const names = Object.keys(acts) as Name[];
  return fc.oneof(
    ...names.map((name) => ({
      weight: acts[name].weight,
      arbitrary: fc.tuple(fc.constant(name), acts[name].choice),
    })),
  );
}

/** What can be done to any version of a plugin; what is done with its calls is the test's. */
export class Play {
  readonly seen = new Set<PluginState>();
  readonly #version: Pick<Version, 'state' | 'perform'>;
  readonly #script: Script;
  readonly #lives: readonly FakeLife[];
  readonly #verbs: Promise<unknown>[] = [];

  constructor(
    version: Pick<Version, 'state' | 'perform'>,
    { script, lives }: { script: Script; lives: readonly FakeLife[] },
  ) {
    this.#version = version;
    this.#script = script;
    this.#lives = lives;
  }

  /** Does one act, and lets all follow from it that does not need time. */
  async act(act: () => unknown): Promise<void> {
    await act();
    await turns();
    this.seen.add(this.#version.state);
  }

  /** Everything answers again, threads die when they are ended, and it is unloaded. */
  async finish(): Promise<void> {
    this.#script.answers = {};
    this.#script.diesWhenEnded = true;
    this.verb('unload');
    for (let i = 0; i < 6; i++) {
      await turns(60);
      for (const life of this.#lives) if (life.ended) life.die('asked');
      await vi.advanceTimersByTimeAsync(60_000);
    }
    await Promise.all(this.#verbs);
  }

  verb(verb: Verb): void {
    this.#verbs.push(this.#version.perform(verb).catch(() => undefined));
  }

  async wait(ms: number): Promise<void> {
    await vi.advanceTimersByTimeAsync(ms);
  }

  hang(question: Question): void {
    this.#script.answers[question] = 'hangs';
  }

  fail(question: Question): void {
    this.#script.answers[question] = new Error('no');
  }

  heal(): void {
    this.#script.answers = {};
  }

  linger(lingers: boolean): void {
    this.#script.diesWhenEnded = !lingers;
  }
}
