/** Questions about a group and all that is below it. */
import { Group } from './group.ts';

/** Plugins in start order, those of nested groups where the group stands. */
export function pluginIds(group: Group): string[] {
  return group.members.flatMap((member) =>
    member instanceof Group ? pluginIds(member) : [member.id],
  );
}

/** The group and every group below it, the lowest first. */
export function groupsOf(group: Group): Group[] {
  const below = group.members.flatMap((member) =>
    member instanceof Group ? groupsOf(member) : [],
  );
  return [...below, group];
}
