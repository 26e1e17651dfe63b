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
  const wanted = new Set(ids);
  const priority = inheritedPriority(ids, plans);
  const depth = new Map<string, number>();
  const depthOf = (id: string, above: readonly string[]): number => {
    const known = depth.get(id);
    if (known !== undefined) return known;
    const needs = dependenciesIn(id, plans).filter((d) => wanted.has(d) && !above.includes(d));
    const value = Math.max(-1, ...needs.map((need) => depthOf(need, [...above, id]))) + 1;
    depth.set(id, value);
    return value;
  };
  const rank = (id: string): [number, number] => [-(priority.get(id) ?? 0), depthOf(id, [])];
  const groups = new Map<string, { rank: [number, number]; ids: string[] }>();
  for (const id of ids) {
    const key = rank(id);
    const group = groups.get(String(key)) ?? { rank: key, ids: [] };
    group.ids.push(id);
    groups.set(String(key), group);
  }
  return [...groups.values()]
    .toSorted((a, b) => a.rank[0] - b.rank[0] || a.rank[1] - b.rank[1])
    .map((group) => group.ids);
}

/** Ids of the dependencies that are registered, optional ones included. */
export function dependenciesIn(id: string, plans: Plans): string[] {
  return (plans.get(id)?.dependencies ?? []).map((d) => d.id).filter((d) => plans.has(d));
}

function inheritedPriority(ids: readonly string[], plans: Plans): Map<string, number> {
  const priority = new Map(ids.map((id) => [id, plans.get(id)?.metadata.priority ?? 0]));
  const raise = (id: string, least: number, above: ReadonlySet<string>): void => {
    if (above.has(id)) return;
    const value = Math.max(least, priority.get(id) ?? least);
    priority.set(id, value);
    for (const need of dependenciesIn(id, plans)) raise(need, value, new Set([...above, id]));
  };
  for (const id of ids) raise(id, priority.get(id) ?? 0, new Set());
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
