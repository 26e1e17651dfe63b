import { describe, expect, it } from 'vitest';

import { recordStates } from '../support/events.ts';
import { createManager } from '../support/manager.ts';
import { callOn, changing, counting } from '../support/reloading.ts';

const SHORT = { limits: { startTimeoutMs: 600, hookTimeoutMs: 600, healthTimeoutMs: 300 } };

const REFUSALS: [string, string, string][] = [
  ['does not parse', 'export default {\n  execute: (n) => n *,\n};\n', 'plugin.mjs:2:22'],
  ['throws in init', counting(2, `init() { throw new Error('no rules'); },`), 'no rules'],
  ['is not healthy', counting(2, `health: () => ({ healthy: false }),`), 'not healthy'],
  ['hangs in init', counting(2, `init() { for (;;); },`), 'init'],
  [
    'cannot take the old state',
    counting(2).replace('count = saved', `throw new TypeError('a count is ' + typeof saved)`),
    'a count is number',
  ],
];

describe('a new version of a script that', () => {
  it.each(REFUSALS)('%s is refused, and the old one is never gone', async (_, source, says) => {
    const manager = createManager();
    const { plugin, write } = await changing(manager, counting(1), { host: 'script', ...SHORT });
    const states = recordStates(manager, plugin.id);
    const caller = callOn(plugin);
    await write(source);
    const { ok, error } = await plugin.reload();
    expect([ok, error?.code, error?.message]).toEqual([
      false,
      'RELOAD_FAILED',
      expect.stringContaining(says),
    ]);
    await plugin.execute('after');
    const answers = await caller.stop();
    expect(new Set(answers.map(({ version }) => version))).toEqual(new Set([1]));
    expect(new Set(answers.map(({ count }) => count)).size).toBe(answers.length);
    expect(states).toEqual([]);
    expect(await plugin.stats()).toMatchObject({ generation: 1, restarts: 0 });
  });
});
