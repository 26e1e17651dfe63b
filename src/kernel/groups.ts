/** From specs to a tree of groups that runs: all of it, or nothing. */
import { PluginError } from '../protocol/errors.ts';
import { PluginMember, type Member } from '../supervisor/group-member.ts';
import { groupsOf, pluginIds } from '../supervisor/group-tree.ts';
import { Group, type GroupEvents } from '../supervisor/group.ts';
import { createGroupHandle, type GroupHandle } from './group-handle.ts';
import {
  isGroupPlan,
  namesOf,
  planChild,
  planGroup,
  type ChildPlan,
  type ChildSpec,
  type GroupOptions,
} from './group-spec.ts';
import type { Kernel } from './kernel.ts';
import { dependencyError } from './order.ts';
import type { CloseReport } from './types.ts';

/** @throws PluginError for a wrong spec, a name that is taken, or a child that does not come up. */
export async function createGroup(
  kernel: Kernel,
  name: string,
  options: GroupOptions,
  specs: ChildSpec[],
): Promise<GroupHandle> {
  const plan = planGroup({ ...options, group: name, children: specs });
  refuseTaken(kernel, plan);
  const group = grow(kernel, plan);
  if (!(group instanceof Group)) throw new TypeError('a group of one plugin is no group');
  await startOrForget(kernel, group);
  return handleOf(kernel, group);
}

function handleOf(kernel: Kernel, group: Group): GroupHandle {
  return createGroupHandle(group, {
    async add(spec) {
      const plan = planChild(spec);
      refuseTaken(kernel, plan);
      const member = grow(kernel, plan);
      group.add(member);
      await startOrForget(kernel, member);
    },
    remove: (member) => forget(kernel, member),
    close: () => closeGroup(kernel, group),
    group: (nested) => handleOf(kernel, nested),
  });
}

/** Members of a plan, registered. */
function grow(kernel: Kernel, plan: ChildPlan): Member {
  if (!isGroupPlan(plan)) {
    const { id } = plan.metadata;
    const keeper = kernel.add(plan);
    if (plan.replicas) throw new TypeError('a child of a group has no replicas');
    return new PluginMember(keeper, () => dependencyError(id, kernel.registry.plans()));
  }
  const group = new Group(plan.group, plan.budget, eventsOf(kernel));
  kernel.registry.groups.set(group.id, group);
  for (const child of plan.children) group.add(grow(kernel, child));
  return group;
}

function eventsOf({ events, registry }: Kernel): GroupEvents {
  return {
    restarting({ id, generation }, delayMs, group) {
      events.emit('restarting', id, generation, { delayMs, group });
    },
    restarted({ id, generation }) {
      const group = registry.groupOf(id);
      events.emit('restarted', id, generation, group === undefined ? {} : { group });
    },
    gaveUp({ id, generation }, why) {
      events.emit('gave-up', id, generation, { why });
    },
  };
}

/** As a supervisor that could not start: nothing of it is left. */
async function startOrForget(kernel: Kernel, member: Member): Promise<void> {
  try {
    if (member.autoStart) await member.start();
  } catch (error) {
    await forget(kernel, member).catch(() => undefined);
    throw error;
  }
}

async function closeGroup(kernel: Kernel, group: Group): Promise<CloseReport> {
  group.close();
  const problems = await unregisterAll(kernel, pluginIds(group));
  for (const { id } of groupsOf(group)) dropGroup(kernel, id);
  return { clean: problems.length === 0, problems };
}

async function forget(kernel: Kernel, member: Member): Promise<void> {
  if (!(member instanceof Group)) return kernel.remove(member.id);
  const { problems } = await closeGroup(kernel, member);
  const [first] = problems;
  if (first) throw first.error;
}

/** The last started goes first. */
async function unregisterAll(kernel: Kernel, ids: string[]): Promise<CloseReport['problems']> {
  const problems: CloseReport['problems'] = [];
  for (const id of ids.toReversed()) {
    try {
      if (kernel.registry.find(id)) await kernel.remove(id);
    } catch (error) {
      problems.push({ id, error: error instanceof Error ? error : new Error(String(error)) });
    }
  }
  return problems;
}

function dropGroup({ registry }: Kernel, name: string): void {
  registry.groups.delete(name);
  for (const group of registry.groups.values()) group.drop(name);
}

function refuseTaken({ registry }: Kernel, plan: ChildPlan): void {
  const seen = new Set<string>();
  for (const name of namesOf(plan)) {
    registry.refuseTaken(name);
    if (seen.has(name)) {
      const what = `${name} is given twice; ids and names of groups are unique within a manager`;
      throw new PluginError('ALREADY_REGISTERED', what, { pluginId: name });
    }
    seen.add(name);
  }
}
