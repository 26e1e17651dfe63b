/** The control plane of a pool: each verb is said to every thread, and is done when all have done it. */
import { PluginError } from '../protocol/errors.ts';
import { BUSY_ANSWER_MS } from '../protocol/limits.ts';
import type { ActorControl, ActorStats, Opened, Outcome, StartHook } from '../protocol/messages.ts';
import { mergeMetrics } from '../protocol/metrics.ts';
import { toWireError } from '../protocol/wire-error.ts';
import { TIMED_OUT, within } from './deadline.ts';
import type { LifeDiagnosis } from './life.ts';
import type { PoolThread } from './pool-thread.ts';
import { ToldMetrics } from './told-metrics.ts';

export interface PoolControlScope {
  readonly threads: readonly PoolThread[];
  /** Hooks that every thread has run, or is to run before it serves. */
  readonly wanted: Set<StartHook>;
  /** Settles when the first threads are there. */
  readonly manned: Promise<void>;
  /** From now on a thread that cannot be made ready is a fault of the pool. */
  opened(value: Opened): void;
  /** All are at rest. */
  rested(pause: number): void;
  /** Hooks run meanwhile: threads need not answer. One that ends in a lifecycle hook ends the pool. */
  during<T>(hooks: 'lifecycle' | 'pause', work: Promise<T>): Promise<T>;
}

export function poolControl(pool: PoolControlScope): ActorControl {
  const { threads, wanted } = pool;
  const told = new ToldMetrics();
  const all = (
    hooks: 'lifecycle' | 'pause',
    work: (thread: PoolThread) => Promise<Outcome>,
  ): Promise<Outcome> => pool.during(hooks, Promise.all(threads.map(work)).then(together));
  return {
    async open() {
      await pool.manned;
      const outcomes = await Promise.all(threads.map(({ opened }) => opened));
      const outcome = outcomes.find(({ ok }) => !ok) ?? outcomes[0];
      if (!outcome) return { ok: true, value: { hooks: [] } };
      if (outcome.ok) pool.opened(outcome.value);
      return outcome;
    },
    hook(name) {
      wanted.add(name);
      return all('lifecycle', (thread) => thread.advance(wanted));
    },
    async pause(number) {
      const outcome = await all('pause', (thread) => thread.pause());
      if (outcome.ok) pool.rested(number);
      return outcome;
    },
    resume: () => all('pause', (thread) => thread.resume()),
    shutdown(names) {
      wanted.delete('start');
      return all('lifecycle', (thread) => thread.shutdown(names));
    },
    // a pool keeps no state between calls
    snapshot: () => Promise.resolve({ ok: true, value: undefined }),
    restore: () => Promise.resolve({ ok: true, value: undefined }),
    ping: () => Promise.resolve(),
    health() {
      const idle = threads.find(({ isReady, isOver, life }) => {
        return isReady && !isOver && life.link.openCalls === 0;
      });
      // where all are inside calls nobody answers, and who asked takes them for busy
      return idle?.life.control.health() ?? new Promise(() => undefined);
    },
    async stats() {
      const ready = threads.filter(({ isReady, isOver }) => isReady && !isOver);
      const asked = ready.map(({ life }) => within(life.control.stats(), BUSY_ANSWER_MS / 2));
      const said = await Promise.all(asked);
      const answers = said.filter((answer) => answer !== TIMED_OUT);
      if (answers.length === 0) return new Promise(() => undefined);
      const metrics = ready.map((thread, at) => {
        const answer = said[at] ?? TIMED_OUT;
        return told.of(thread, 0, answer === TIMED_OUT ? [] : answer.metrics);
      });
      return { ...sumOf(answers), metrics: mergeMetrics(metrics) };
    },
    cpuProfile: () => Promise.resolve({ ok: false, error: toWireError(notOfPools()) }),
    heapSnapshot: () => Promise.resolve({ ok: false, error: toWireError(notOfPools()) }),
  };
}

/** Which of its threads would be looked at? */
export const POOL_DIAGNOSIS: LifeDiagnosis = {
  cpuProfile: () => Promise.reject(notOfPools()),
  heapSnapshot: () => Promise.reject(notOfPools()),
  standsStill: false,
};

function notOfPools(): PluginError {
  const what = 'a pool has many threads, which cannot be diagnosed one by one';
  return new PluginError('INVALID_STATE', `${what}; run the plugin with isolation 'thread'`);
}

function together(outcomes: readonly Outcome[]): Outcome {
  return outcomes.find(({ ok }) => !ok) ?? { ok: true, value: undefined };
}

/** `plugin` is what the first of them says: what each counts for itself has no sum that is known here. */
function sumOf(answers: readonly ActorStats[]): Omit<ActorStats, 'metrics'> {
  const sum = (count: (answer: ActorStats) => number): number =>
    answers.reduce((before, answer) => before + count(answer), 0);
  return {
    heapUsedBytes: sum(({ heapUsedBytes }) => heapUsedBytes),
    externalBytes: sum(({ externalBytes }) => externalBytes),
    utilization: sum(({ utilization }) => utilization) / answers.length,
    plugin: answers[0]?.plugin,
  };
}
