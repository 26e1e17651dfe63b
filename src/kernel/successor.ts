/** Whether a new version may take the place of the one that is registered. */
import { PluginError } from '../protocol/errors.ts';
import type { PluginPlan } from '../protocol/manifest.ts';
import { dependencyError } from './order.ts';
import type { Registry } from './registry.ts';

/**
 * @returns the plan, if all that needs the plugin, and all that it needs, can go on with it.
 * @throws PluginError `INVALID_SPEC`, `DEPENDENCY_MISSING`, `DEPENDENCY_VERSION`, `DEPENDENCY_CYCLE`.
 */
export function checkedSuccessor(registry: Registry, id: string, plan: PluginPlan): PluginPlan {
  const refuse = (what: string, field: string): never => {
    throw new PluginError('INVALID_SPEC', `the new version of ${id} is not valid: ${what}`, {
      pluginId: id,
      data: { field },
    });
  };
  if (plan.metadata.id !== id) {
    refuse(`its id is ${plan.metadata.id}; unregister ${id} and register it anew`, 'id');
  }
  if (plan.replicas && registry.groupOf(id) !== undefined) {
    refuse('a child of a group has no replicas; remove "replicas"', 'replicas');
  }
  const plans = registry.plans().set(id, plan);
  const error = dependencyError(id, plans) ?? dependantError(registry, id, plans);
  if (error) throw error;
  return plan;
}

/** What is up and was content before is to be content after. */
function dependantError(
  registry: Registry,
  id: string,
  plans: Map<string, PluginPlan>,
): PluginError | undefined {
  const before = registry.plans();
  for (const { id: other, state } of registry.all()) {
    if (other === id || state === 'unloaded' || dependencyError(other, before)) continue;
    const error = dependencyError(other, plans);
    if (error) return error;
  }
  return undefined;
}
