import { beforeEach, describe, expect, it, vi } from 'vitest';

import { PluginWatch } from '../../src/kernel/plugin-watch.ts';
import { planFor } from '../support/plan.ts';

const watchers = vi.hoisted(() => ({ opened: 0, closed: 0 }));
vi.mock('../../src/kernel/folders.ts', () => ({
  watchFolders: async () => {
    watchers.opened++;
    await Promise.resolve();
    return { add: () => undefined, close: () => watchers.closed++ };
  },
}));
vi.mock('../../src/kernel/sources.ts', () => ({
  sourcesOf: async () => ({ files: ['/p/plugin.mjs'], hash: 'same', isWhole: true }),
}));

beforeEach(() => {
  watchers.opened = watchers.closed = 0;
});

function watched() {
  const plan = planFor('p', { reload: { watch: true } });
  const failed = vi.fn<(error: unknown) => void>();
  const keeper = { plan, load: 0, reload: () => Promise.reject(new Error('not asked for')) };
  return { plan, failed, watch: new PluginWatch({ keeper, manifest: undefined, failed }) };
}

describe('a plugin whose files are watched', () => {
  it('has one watcher, however many versions are looked at in one moment', async () => {
    const { plan, watch, failed } = watched();
    await Promise.all([watch.mark(plan), watch.mark(plan), watch.mark(plan)]);
    expect(watchers).toEqual({ opened: 1, closed: 0 });
    await watch.close();
    expect(watchers).toEqual({ opened: 1, closed: 1 });
    expect(failed).not.toHaveBeenCalled();
  });

  it('has none after its end, also where that came while it was looked at', async () => {
    const { plan, watch } = watched();
    const marked = [watch.mark(plan), watch.mark(plan)];
    await watch.close();
    await Promise.all(marked);
    expect(watchers.closed).toBe(watchers.opened);
  });
});
