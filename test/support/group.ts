/** Groups of `test/fixtures/child.mjs`, and the story of their starts and stops. */
import type { GroupHandle, GroupOptions, PluginManager, PluginSpec } from 'troupe';

import { eventually } from './eventually.ts';
import { specOf, type SpecOptions } from './manager.ts';

/** Restarts as often as a test likes, at once. */
export const PATIENT: GroupOptions = { intensity: 1_000, periodMs: 60_000 };

export function child(id: string, options: SpecOptions = {}): PluginSpec {
  const backoff = { minMs: 0, maxMs: 0 };
  return specOf('child.mjs', { ...options, id, restart: { backoff, ...options.restart } });
}

/** Specs of `a`, `b` and `c`; what is given for one is its restart type. */
export function abc(types: Record<string, 'transient' | 'temporary'> = {}): PluginSpec[] {
  return ['a', 'b', 'c'].map((id) => {
    const type = types[id];
    return child(id, type ? { restart: { type } } : {});
  });
}

/** What was told of starts and stops since it was last asked. */
export async function storyOf(manager: PluginManager): Promise<string[]> {
  let story: string[] = [];
  // at once, so that nothing is lost that a child tells meanwhile
  await manager.context.state.update<string[]>('story', (told = []) => {
    story = told;
    return [];
  });
  return story;
}

export function generationsOf(group: GroupHandle): Record<string, number> {
  return Object.fromEntries(group.list().map(({ id, generation }) => [id, generation]));
}

export function statesOf(group: GroupHandle): Record<string, string> {
  return Object.fromEntries(group.list().map(({ id, state }) => [id, state]));
}

/** Settles once each of those children runs in the life given. */
export function reaches(group: GroupHandle, lives: Record<string, number>): Promise<void> {
  return eventually(() => {
    for (const { id, state, generation } of group.list()) {
      const wanted = lives[id];
      if (wanted === undefined || (state === 'running' && generation === wanted)) continue;
      throw new Error(`${id} is ${state} in life ${String(generation)}, not ${String(wanted)}`);
    }
  });
}

export function breaks(
  manager: PluginManager,
  id: string,
  how: 'throw' | 'exit' | 'hang' | undefined,
): Promise<void> {
  return manager.context.state.set(`${id} breaks`, how);
}
