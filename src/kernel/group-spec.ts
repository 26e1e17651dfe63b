/** What `manager.group` takes, checked at the border, and the tree of plans it becomes. */
import { z } from 'zod';

import { PluginError } from '../protocol/errors.ts';
import { DEFAULT_RESTART } from '../protocol/limits.ts';
import type { PluginPlan, PluginSpec } from '../protocol/manifest.ts';
import { STRATEGIES, type GroupBudget, type Strategy } from '../supervisor/group-policy.ts';
import { planOf } from './plan.ts';
import { checkSpec, ID } from './spec-schema.ts';

export interface GroupOptions {
  /** Who is restarted with a child that ended. Default `one-for-one`: nobody. */
  strategy?: Strategy | undefined;
  /** Rounds of restarts within `periodMs`; at one more the group gives up. Default 3. */
  intensity?: number | undefined;
  /** Default 5,000 ms. */
  periodMs?: number | undefined;
}

/** A group among the children of another. */
export interface GroupSpec extends GroupOptions {
  /** Its name: unique among the plugins and groups of a manager. */
  group: string;
  /** In start order. */
  children: ChildSpec[];
}

export type ChildSpec = PluginSpec | GroupSpec;

export interface GroupPlan {
  group: string;
  budget: GroupBudget;
  children: ChildPlan[];
}

export type ChildPlan = PluginPlan | GroupPlan;

/** Deeper than any tree that people make, so that a spec which contains itself is refused. */
const GROUP_DEPTH_MAX = 16;

const SHAPE = z.strictObject({
  group: z.string().regex(ID, 'must be a name as a plugin has'),
  strategy: z.enum(STRATEGIES).default('one-for-one'),
  intensity: z.number().int().min(0).default(DEFAULT_RESTART.intensity),
  periodMs: z.number().min(1).default(DEFAULT_RESTART.periodMs),
  children: z.array(z.looseObject({})),
});

/** @throws PluginError `INVALID_SPEC` that names what is wrong. */
export function planChild(spec: ChildSpec, depth = 1): ChildPlan {
  const isGroup = typeof spec === 'object' && spec !== null && 'group' in spec;
  if (isGroup) return planGroup(spec, depth);
  const plan = planOf(checkSpec(spec, 'program'));
  if (plan.replicas) throw replicated(plan.metadata.id);
  return plan;
}

/** @throws PluginError `INVALID_SPEC` that names the group and what is wrong with it. */
export function planGroup(spec: GroupSpec, depth = 0): GroupPlan {
  const name = typeof spec.group === 'string' ? spec.group : 'without a name';
  if (depth > GROUP_DEPTH_MAX) {
    throw invalid(name, [`groups nest at most ${String(GROUP_DEPTH_MAX)} deep`]);
  }
  const checked = SHAPE.safeParse(spec);
  if (!checked.success) {
    const problems = checked.error.issues.map(
      ({ path, message }) =>
        `${path.length > 0 ? `"${path.map(String).join('.')}": ` : ''}${message}`,
    );
    throw invalid(name, problems);
  }
  const { group, strategy, intensity, periodMs } = checked.data;
  const children = spec.children.map((child) => planChild(child, depth + 1));
  return { group, budget: { strategy, intensity, periodMs }, children };
}

export function isGroupPlan(plan: ChildPlan): plan is GroupPlan {
  return 'group' in plan;
}

/** Every id and name that a plan brings, in start order. */
export function namesOf(plan: ChildPlan): string[] {
  return isGroupPlan(plan) ? [plan.group, ...plan.children.flatMap(namesOf)] : [plan.metadata.id];
}

/** A group moves a child as one; replicas restart one by one. */
function replicated(pluginId: string): PluginError {
  return new PluginError(
    'INVALID_SPEC',
    `the spec of ${pluginId} is not valid: "replicas": a child of a group has none; register it outside of the group, or several children`,
    { pluginId, data: { field: 'replicas' } },
  );
}

function invalid(name: string, problems: string[]): PluginError {
  return new PluginError(
    'INVALID_SPEC',
    `the spec of the group ${name} is not valid: ${problems.join('; ')}`,
    { data: { group: name, problems } },
  );
}
