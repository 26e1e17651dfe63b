/** A group as its user sees it. None of these calls waits for a child that keeps failing. */
import { PluginError } from '../protocol/errors.ts';
import type { PluginState } from '../protocol/report.ts';
import type { Member } from '../supervisor/group-member.ts';
import { Group } from '../supervisor/group.ts';
import type { ChildSpec } from './group-spec.ts';
import type { CloseReport } from './types.ts';

export interface GroupChildListing {
  /** A plugin's id, or the name of a nested group. */
  id: string;
  state: PluginState;
  generation: number;
}

/**
 * Ids are those of the group's own children: plugins, and nested groups by name. Any other is
 * `NOT_FOUND`. What the state does not allow is `INVALID_STATE`, with the reason in
 * `data.reason`: `already-started`, `running`, `restarting`, or `ended` for a group that gave up
 * or was closed.
 */
export interface GroupHandle {
  readonly name: string;
  readonly state: PluginState;
  /** Registers a child behind the others and brings it up; if it fails, it is forgotten. */
  add(spec: ChildSpec): Promise<void>;
  /** Brings up a child that is down; if it fails, it is not tried again. */
  start(id: string): Promise<void>;
  /** Ends a child, which stays a child and is not restarted until it is started again. */
  stop(id: string): Promise<void>;
  /** A new life for a child that is up, its siblings untouched; one that is down is started. */
  restart(id: string): Promise<void>;
  /** Forgets a child that is down. */
  remove(id: string): Promise<void>;
  /** In start order. */
  list(): GroupChildListing[];
  /** The handle of a nested group. */
  group(name: string): GroupHandle;
  /** Stops all children in reverse and forgets them and the group. Never rejects. */
  close(): Promise<CloseReport>;
}

export interface GroupTarget {
  add(spec: ChildSpec): Promise<void>;
  remove(member: Member): Promise<void>;
  close(): Promise<CloseReport>;
  group(nested: Group): GroupHandle;
}

export function createGroupHandle(group: Group, target: GroupTarget): GroupHandle {
  let closing: Promise<CloseReport> | undefined;
  return {
    name: group.id,
    get state() {
      return group.state;
    },
    async add(spec) {
      refuseOver(group, 'add a child to');
      await target.add(spec);
    },
    async start(id) {
      const member = childOf(group, id);
      refuseOver(group, 'start a child of');
      refuseRestarting(member, 'start');
      if (member.status === 'up') refuse(member, 'start', 'already-started');
      await member.start();
    },
    async stop(id) {
      await childOf(group, id).stop();
    },
    async restart(id) {
      const member = childOf(group, id);
      refuseOver(group, 'restart a child of');
      refuseRestarting(member, 'restart');
      await (member.status === 'up' ? renew(member) : member.start());
    },
    async remove(id) {
      const member = childOf(group, id);
      refuseRestarting(member, 'remove');
      if (member.status === 'up') refuse(member, 'remove', 'running');
      await target.remove(member);
    },
    list: () => group.members.map(({ id, state, generation }) => ({ id, state, generation })),
    group(name) {
      const nested = childOf(group, name);
      if (nested instanceof Group) return target.group(nested);
      throw notFound(group, name, 'no nested group');
    },
    close() {
      closing ??= target.close();
      return closing;
    },
  };
}

/** In place: if it fails on its way back, the caller hears of it, and the group takes over. */
async function renew(member: Member): Promise<void> {
  await member.halt();
  const arrival = await member.revive();
  if (arrival.is === 'ended') throw arrival.report.error;
  if (arrival.is === 'up') return;
  const what = `${member.id} was stopped before it was up again`;
  throw new PluginError('PLUGIN_STOPPED', what, { pluginId: member.id });
}

function childOf(group: Group, id: string): Member {
  const member = group.members.find((each) => each.id === id);
  if (member) return member;
  throw notFound(group, id, 'no child');
}

function notFound(group: Group, id: string, what: string): PluginError {
  const known = group.members.map((member) => member.id).join(', ');
  return new PluginError(
    'NOT_FOUND',
    `the group ${group.id} has ${what} ${id}; its children ${known ? `are: ${known}` : 'are none'}`,
    { pluginId: id, data: { group: group.id } },
  );
}

function refuseRestarting(member: Member, verb: string): void {
  if (member.state === 'restarting') refuse(member, verb, 'restarting');
}

function refuse({ id, state }: Member, verb: string, reason: keyof typeof REMEDIES): never {
  const message = `cannot ${verb} ${id}: it is ${state}; ${REMEDIES[reason]}`;
  throw new PluginError('INVALID_STATE', message, { pluginId: id, data: { verb, state, reason } });
}

function refuseOver(group: Group, what: string): void {
  if (!group.isOver) return;
  throw new PluginError(
    'INVALID_STATE',
    `cannot ${what} ${group.id}: the group has ended; close it and make it anew`,
    { data: { group: group.id, state: group.state, reason: 'ended' } },
  );
}

const REMEDIES = {
  'already-started': 'restart it, or stop it first',
  'running': 'stop it first',
  'restarting': 'wait until it is up, or stop it first',
};
