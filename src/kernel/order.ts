/** In which order plugins go up: dependencies first, then higher priority. Pure. */
import semver from 'semver';

import { PluginError } from '../protocol/errors.ts';
import type { PluginPlan } from '../protocol/manifest.ts';

export type Plans = ReadonlyMap<string, PluginPlan>;

/** What is wrong with a plugin's dependencies, if anything: missing, wrong version, circular. */
export function dependencyError(id: string, plans: Plans): PluginError | undefined {
  return unmetDependency(id, id, plans, new Set()) ?? cycleThrough(id, plans);
}

/**
 * Ids in the order to go up, in waves: all of one wave may go at the same time. A dependency
 * inherits the highest priority of those that need it.
 */
export function waves(ids: readonly string[], plans: Plans): string[][] {
  const depths = depthsOf(ids, plans);
  const priority = inheritedPriority(ids, plans, depths);
  const groups = new Map<string, { priority: number; depth: number; ids: string[] }>();
  for (const id of ids) {
    const rank = { priority: priority.get(id) ?? 0, depth: depths.get(id) ?? 0 };
    const key = `${String(rank.priority)} ${String(rank.depth)}`;
    const group = groups.get(key) ?? { ...rank, ids: [] };
    group.ids.push(id);
    groups.set(key, group);
  }
  return [...groups.values()]
    .toSorted((a, b) => b.priority - a.priority || a.depth - b.depth)
    .map((group) => group.ids);
}

/** The plans as if each plugin of a sequence needed the one before it. */
export function inSequence(plans: Plans, sequences: readonly (readonly string[])[]): Plans {
  const ordered = new Map(plans);
  for (const sequence of sequences) {
    for (const [i, id] of sequence.entries()) {
      const plan = ordered.get(id);
      const before = sequence[i - 1];
      if (!plan || before === undefined) continue;
      const sibling = { id: before, range: undefined, optional: true };
      ordered.set(id, { ...plan, dependencies: [...plan.dependencies, sibling] });
    }
  }
  return ordered;
}

/** Ids of the dependencies that are registered, optional ones included. */
export function dependenciesIn(id: string, plans: Plans): string[] {
  return (plans.get(id)?.dependencies ?? []).map((d) => d.id).filter((d) => plans.has(d));
}

/** How many dependencies lie below each plugin, one under the other; a cycle is cut where it closes. */
function depthsOf(ids: readonly string[], plans: Plans): Map<string, number> {
  const depths = new Map<string, number>();
  const visiting = new Set<string>();
  const visit = (id: string): number => {
    const known = depths.get(id);
    if (known !== undefined) return known;
    if (visiting.has(id)) return -1;
    visiting.add(id);
    const depth = Math.max(-1, ...dependenciesIn(id, plans).map(visit)) + 1;
    depths.set(id, depth);
    return depth;
  };
  for (const id of ids) visit(id);
  return depths;
}

/** From the top down: what is needed goes no later than what needs it. */
function inheritedPriority(
  ids: readonly string[],
  plans: Plans,
  depths: ReadonlyMap<string, number>,
): Map<string, number> {
  const priority = new Map(ids.map((id) => [id, plans.get(id)?.metadata.priority ?? 0]));
  const fromTheTop = [...depths].toSorted((a, b) => b[1] - a[1]);
  for (const [id] of fromTheTop) {
    const own = priority.get(id);
    if (own === undefined) continue;
    for (const need of dependenciesIn(id, plans)) {
      priority.set(need, Math.max(own, priority.get(need) ?? own));
    }
  }
  return priority;
}

/** @param root the plugin that is to be loaded; `id` is it, or what it needs. */
function unmetDependency(
  root: string,
  id: string,
  plans: Plans,
  seen: Set<string>,
): PluginError | undefined {
  if (seen.has(id)) return undefined;
  seen.add(id);
  const who = id === root ? id : `${root} needs ${id}, which`;
  for (const { id: need, range, optional } of plans.get(id)?.dependencies ?? []) {
    const found = plans.get(need)?.metadata.version;
    if (found === undefined) {
      if (optional) continue;
      return new PluginError(
        'DEPENDENCY_MISSING',
        `${who} needs ${need}, which is not registered; register it first`,
        { pluginId: root, data: { dependency: need, neededBy: id, range } },
      );
    }
    if (range !== undefined && !semver.satisfies(found, range)) {
      return new PluginError(
        'DEPENDENCY_VERSION',
        `${who} needs ${need}@${range}, but ${need} is ${found}`,
        { pluginId: root, data: { dependency: need, neededBy: id, range, found } },
      );
    }
    const deeper = unmetDependency(root, need, plans, seen);
    if (deeper) return deeper;
  }
  return undefined;
}

function cycleThrough(start: string, plans: Plans): PluginError | undefined {
  const finished = new Set<string>();
  const walk = (id: string, above: string[]): string[] | undefined => {
    const at = above.indexOf(id);
    if (at >= 0) return [...above.slice(at), id];
    if (finished.has(id)) return undefined;
    for (const need of dependenciesIn(id, plans)) {
      const cycle = walk(need, [...above, id]);
      if (cycle) return cycle;
    }
    finished.add(id);
    return undefined;
  };
  const cycle = walk(start, []);
  if (!cycle) return undefined;
  return new PluginError(
    'DEPENDENCY_CYCLE',
    `${start} cannot be loaded: its dependencies form a cycle, ${cycle.join(' → ')}`,
    { pluginId: start, data: { cycle } },
  );
}
