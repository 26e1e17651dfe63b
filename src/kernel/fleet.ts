/**
 * Verbs for all plugins: dependencies first and in waves on the way up, the reverse on the way
 * down. One failure does not abort the rest; they settle, then one error names each that failed.
 */
import { PluginError } from '../protocol/errors.ts';
import type { ReloadResult } from '../protocol/report.ts';
import type { Keeper } from '../supervisor/keeper.ts';
import type { Intent, Verb } from '../supervisor/machine.ts';
import { dependenciesIn, dependencyError, inSequence, waves, type Plans } from './order.ts';
import type { Registry } from './registry.ts';

export type FleetVerb = Exclude<Verb, 'restart'>;

interface Failure {
  id: string;
  error: Error;
}

/** On which of the plugins a verb for all of them acts; the others have nothing to do with it. */
const CONCERNS: Record<FleetVerb, (keeper: Keeper) => boolean> = {
  load: ({ plan }) => plan.enabled,
  init: ({ plan }) => plan.enabled,
  start: ({ plan, state }) => plan.enabled && plan.autoStart && state !== 'paused',
  pause: ({ state }) => state === 'running' || state === 'restarting',
  resume: ({ state }) => state === 'paused' || state === 'restarting',
  stop: ({ state }) => state === 'running' || state === 'paused' || state === 'restarting',
  // also one that is just about to be loaded
  unload: () => true,
};
/** Where those on the way up lead. */
const GOALS: Partial<Record<FleetVerb, Intent>> = {
  load: 'loaded',
  init: 'initialized',
  start: 'running',
};
const DOWN: ReadonlySet<FleetVerb> = new Set(['pause', 'stop', 'unload']);

/** @throws AggregateError that names each plugin that failed. */
export async function performAll(registry: Registry, verb: FleetVerb): Promise<void> {
  const groups = verb === 'stop' || verb === 'unload' ? [...registry.groups.values()] : [];
  for (const group of groups) group.hold();
  try {
    throwFailures(await settleAll(registry, [verb]), verb);
  } finally {
    for (const group of groups) group.release();
  }
}

/** Load, init and start, plugin by plugin. */
export async function bringUp(registry: Registry): Promise<void> {
  throwFailures(await settleAll(registry, ['load', 'init', 'start']), 'bring up');
}

/** One after the other, dependencies first; one that was unregistered meanwhile is left out. */
export async function reloadAll(registry: Registry): Promise<Map<string, ReloadResult>> {
  const results = new Map<string, ReloadResult>();
  for (const id of waves(registry.ids(), registry.plans()).flat()) {
    const keeper = registry.find(id);
    if (keeper) results.set(id, await keeper.reload());
  }
  return results;
}

/** Performs the verbs on every plugin they concern; failures come back, nothing is thrown. */
export async function settleAll(
  registry: Registry,
  verbs: FleetVerb[],
  among = registry.ids(),
): Promise<Failure[]> {
  const [first] = verbs;
  if (!first) return [];
  const plans = registry.plans();
  const ids = among.filter((id) => CONCERNS[first](registry.get(id)));
  // children of a group go one after the other, and down in reverse
  const order = waves(ids, inSequence(plans, registry.sequences()));
  if (DOWN.has(first)) order.reverse();
  const failures = new Map<string, Error>();
  const checks = first === 'load' ? ids : [];
  for (const id of checks) {
    const error = dependencyError(id, plans);
    if (error) failures.set(id, error);
  }
  for (const wave of order) {
    const outcomes = wave.map(async (id) => {
      if (failures.has(id)) return;
      const error = await settleOne(registry, id, verbs, plans, failures);
      if (error) failures.set(id, error);
    });
    await Promise.all(outcomes);
  }
  return ids.flatMap((id) => {
    const error = failures.get(id);
    return error ? [{ id, error }] : [];
  });
}

async function settleOne(
  registry: Registry,
  id: string,
  verbs: FleetVerb[],
  plans: Plans,
  failures: ReadonlyMap<string, Error>,
): Promise<Error | undefined> {
  try {
    for (const verb of verbs) {
      const keeper = registry.find(id);
      if (!keeper || !CONCERNS[verb](keeper)) continue;
      if (!DOWN.has(verb)) requireDependencies(id, verb, plans, failures);
      await keeper.perform(verb).catch((error: unknown) => {
        const goal = GOALS[verbs.findLast((each) => CONCERNS[each](keeper)) ?? verb];
        if (goal) keeper.aim(goal);
        throw error;
      });
    }
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** A plugin whose dependency did not come up would come up broken. */
function requireDependencies(
  id: string,
  verb: FleetVerb,
  plans: Plans,
  failures: ReadonlyMap<string, Error>,
): void {
  const optional = new Set(
    (plans.get(id)?.dependencies ?? []).filter((d) => d.optional).map((d) => d.id),
  );
  const broken = dependenciesIn(id, plans).find(
    (need) => failures.has(need) && !optional.has(need),
  );
  if (broken === undefined) return;
  throw new PluginError(
    'DEPENDENCY_MISSING',
    `cannot ${verb} ${id}: it needs ${broken}, which failed`,
    { pluginId: id, data: { dependency: broken }, cause: failures.get(broken) },
  );
}

function throwFailures(failures: Failure[], what: string): void {
  if (failures.length === 0) return;
  const named = failures.map(({ id, error }) => `${id}: ${error.message}`).join('; ');
  throw new AggregateError(
    failures.map(({ error }) => error),
    `could not ${what} ${String(failures.length)} of the plugins: ${named}`,
  );
}
