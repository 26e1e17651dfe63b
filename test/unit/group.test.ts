import { describe, expect, it } from 'vitest';

import type { GroupBudget, Strategy } from '../../src/supervisor/group-policy.ts';
import { Group } from '../../src/supervisor/group.ts';
import { FakeMember } from '../support/fake-member.ts';
import { turns } from '../support/turns.ts';

describe('a group', () => {
  it('stops and starts one child after the other, never two at once', async () => {
    const { story, b, c } = await upAndRunning('one-for-all');
    c.isSlow = true;
    b.end();
    await turns();
    expect(story).toEqual(['halt c']);
    c.go();
    await turns();
    expect(story).toEqual(['halt c', 'halt a', 'revive a', 'revive b', 'revive c']);
  });

  it('does not count a child that ends before its turn to be stopped', async () => {
    const { story, told, a, b, c } = await upAndRunning('one-for-all', { intensity: 1 });
    c.isSlow = true;
    b.end();
    await turns();
    a.end();
    c.isSlow = false;
    c.go();
    await turns();
    expect(story).toEqual(['halt c', 'halt a', 'revive a', 'revive b', 'revive c']);
    expect(told).toEqual(['restarting a', 'restarting b', 'restarting c']);
  });

  it('counts one that ends after it came back, and begins again with both rounds', async () => {
    const { story, told, a, b, c } = await upAndRunning('rest-for-one', { intensity: 2 });
    c.isSlow = true;
    a.end();
    await turns();
    c.isSlow = false;
    c.go();
    c.isSlow = true;
    await turns();
    expect(story.splice(0)).toEqual(['halt c', 'halt b', 'revive a', 'revive b', 'revive c']);
    b.end();
    c.isSlow = false;
    c.go();
    await turns();
    expect(story.slice(0, 2)).toEqual(['halt c', 'halt b']);
    expect(story.slice(-3)).toEqual(['revive a', 'revive b', 'revive c']);
    a.end();
    await turns();
    expect(told.at(-1)).toBe('gave up too-often');
  });

  it('goes on with one child while another does not come up', async () => {
    const { story, a, b } = await upAndRunning('one-for-one');
    a.isSlow = true;
    a.end();
    b.end();
    await turns();
    expect(story).toEqual(['revive a', 'revive b']);
  });

  it('tries again as a whole until its intensity is spent, then ends in reverse', async () => {
    const { story, told, group, b } = await upAndRunning('one-for-all', { intensity: 2 });
    b.isBroken = true;
    b.end();
    await turns(60);
    const round = ['halt c', 'halt a', 'revive a', 'revive b'];
    const end = ['halt c', 'halt b', 'halt a', 'fail c', 'fail b', 'fail a'];
    expect(story).toEqual([...round, ...round, ...end]);
    expect([told.at(-1), group.state]).toEqual(['gave up too-often', 'failed']);
  });

  it('that is held restarts nobody, and guards again when it is let go', async () => {
    const { story, group, a } = await upAndRunning('one-for-all');
    group.hold();
    a.end();
    await turns();
    expect(story).toEqual([]);
    group.release();
    a.end();
    await turns();
    expect(story).toEqual(['halt c', 'halt b', 'revive a', 'revive b', 'revive c']);
  });

  it('that is closed in the middle of a round leaves it at once', async () => {
    const { story, group, a, b } = await upAndRunning('one-for-all');
    b.isSlow = true;
    a.end();
    await turns();
    group.close();
    b.go();
    a.end();
    await turns();
    expect([story, group.state]).toEqual([['halt c', 'halt b'], 'unloaded']);
  });

  it('that its parent stops while it gives up leaves the decision to the parent', async () => {
    const story: string[] = [];
    const { group: top } = grow('top', 'one-for-all', { intensity: 1 });
    const sibling = new FakeMember('s', story);
    const { group: inner, members } = grow('inner', 'one-for-one', { intensity: 0 }, story);
    top.add(sibling);
    top.add(inner);
    await top.start();
    const [a, b, c] = members;
    c.isSlow = true;
    a.end();
    await turns();
    sibling.end();
    await turns();
    c.isSlow = false;
    c.go();
    await turns(60);
    // one round of the parent, not two: its intensity of 1 holds
    expect([top.state, inner.state, inner.generation]).toEqual(['running', 'running', 2]);
    expect(story.slice(-4)).toEqual(['revive s', 'revive a', 'revive b', 'revive c']);
    expect([a, b, c].map(({ status }) => status)).toEqual(['up', 'up', 'up']);
  });
});

type Three = [FakeMember, FakeMember, FakeMember];

function grow(
  id: string,
  strategy: Strategy,
  budget: Partial<GroupBudget> = {},
  story: string[] = [],
): { group: Group; members: Three; story: string[]; told: string[] } {
  const told: string[] = [];
  const group = new Group(
    id,
    { strategy, intensity: 3, periodMs: 60_000, ...budget },
    {
      restarting: (member) => told.push(`restarting ${member.id}`),
      restarted: (nested) => told.push(`restarted ${nested.id}`),
      gaveUp: (_, why) => told.push(`gave up ${why}`),
    },
  );
  const members: Three = [
    new FakeMember('a', story),
    new FakeMember('b', story),
    new FakeMember('c', story),
  ];
  if (id !== 'top') for (const member of members) group.add(member);
  return { group, members, story, told };
}

async function upAndRunning(
  strategy: Strategy,
  budget: Partial<GroupBudget> = {},
): Promise<{
  group: Group;
  a: FakeMember;
  b: FakeMember;
  c: FakeMember;
  story: string[];
  told: string[];
}> {
  const { group, members, story, told } = grow('g', strategy, budget);
  await group.start();
  const [a, b, c] = members;
  return { group, a, b, c, story, told };
}
