/** The versions of one plugin, without threads: a test says what the next one is, and plays the lives. */
import type { PluginPlan } from '../../src/protocol/manifest.ts';
import { ReplicaSet } from '../../src/supervisor/replica-set.ts';
import { Succession } from '../../src/supervisor/succession.ts';
import { Supervisor } from '../../src/supervisor/supervisor.ts';
import { bringUp, stageFor, type FakeLife } from './fake-life.ts';
import { planFor, type PlanFields } from './plan.ts';
import { requestOf, type Asked, type Recorder } from './recorder.ts';

export function succeeding(fields: PlanFields = {}) {
  const stage = stageFor(fields);
  const { options } = stage;
  const next: { plan: () => Promise<PluginPlan> } = { plan: () => Promise.resolve(options.plan) };
  const succession = new Succession({
    plan: options.plan,
    create: (plan, own, count) => {
      const all = { ...options, ...own, plan };
      return plan.replicas ? new ReplicaSet(all, plan.replicas, count) : new Supervisor(all);
    },
    nextPlan: () => next.plan(),
    explain: async (error) => error,
    emit: options.emit,
  });
  return {
    ...stage,
    succession,
    up: () => bringUp(succession),
    ask: (value: unknown, asked: Asked = {}): Recorder => {
      const request = requestOf(value, asked);
      succession.accept(request);
      return request.receiver;
    },
    /** What the plugin is from the next reload on. */
    becomes: (changed: PlanFields): void => {
      next.plan = () => Promise.resolve(planFor('p', changed));
    },
    refuses: (error: Error): void => {
      next.plan = async () => {
        throw error;
      };
    },
    /** By its number. */
    life: (generation: number): FakeLife => {
      const life = stage.lives.find((each) => each.generation === generation);
      if (!life) throw new Error(`there is no life ${String(generation)}`);
      return life;
    },
  };
}
