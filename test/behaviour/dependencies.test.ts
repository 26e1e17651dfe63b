/** Dependencies that are missing, circular or of another version. DESIGN §3. */
import type { PluginManager, PluginSpec } from 'troupe';
import { describe, expect, it } from 'vitest';

import { recordEvents } from '../support/events.ts';
import { createManager, specOf } from '../support/manager.ts';
import { failureOf, failuresOf } from '../support/outcomes.ts';

/** Registers `hooks.mjs` once for each, in the order given. */
async function registerAll(
  manager: PluginManager,
  specs: readonly (Partial<PluginSpec> & { id: string })[],
): Promise<void> {
  for (const spec of specs) await manager.register(specOf('hooks.mjs', spec));
}

function statesOf(manager: PluginManager): Record<string, string> {
  return Object.fromEntries(manager.listPlugins().map(({ id, state }) => [id, state]));
}

describe('dependencies that cannot be met are refused before any thread starts', () => {
  it.each([
    ['missing', ['nobody'], 'DEPENDENCY_MISSING', /nobody/],
    ['of another version', ['store@^2'], 'DEPENDENCY_VERSION', /store.*\^2.*1\.4\.0/],
    ['of another range', [{ id: 'store', range: '~1.3' }], 'DEPENDENCY_VERSION', /store.*~1\.3/],
    ['deeper down', ['broken'], 'DEPENDENCY_MISSING', /nobody/],
  ] as const)('%s', async (_, dependencies, code, message) => {
    const manager = createManager();
    await registerAll(manager, [
      { id: 'store', version: '1.4.0' },
      { id: 'broken', dependencies: ['nobody'] },
      { id: 'needy', dependencies: [...dependencies] },
    ]);
    const events = recordEvents(manager);
    const error = await failureOf(manager.load('needy'));
    expect(error).toMatchObject({ code, pluginId: 'needy' });
    expect(error.message).toMatch(message);
    expect(manager.state('needy')).toBe('unloaded');
    expect(events).toEqual([]);
    expect(await manager.stats('needy')).toMatchObject({ generation: 0 });
  });

  it('in a circle, which is named in full', async () => {
    const manager = createManager();
    await registerAll(manager, [
      { id: 'a', dependencies: ['b'] },
      { id: 'b', dependencies: ['c'] },
      { id: 'c', dependencies: ['a'] },
      { id: 'free' },
    ]);
    const error = await failureOf(manager.load('a'));
    expect(error).toMatchObject({ code: 'DEPENDENCY_CYCLE', pluginId: 'a' });
    expect(error.message).toMatch(/a → b → c → a/);

    const errors = await failuresOf(manager.up());
    expect(errors.map(({ pluginId, code }) => [pluginId, code])).toEqual(
      ['a', 'b', 'c'].map((id) => [id, 'DEPENDENCY_CYCLE']),
    );
    expect(statesOf(manager)).toEqual({
      a: 'unloaded',
      b: 'unloaded',
      c: 'unloaded',
      free: 'running',
    });
  });

  it('unless it is optional, or the range is met', async () => {
    const manager = createManager();
    await registerAll(manager, [
      { id: 'store', version: '1.4.0' },
      { id: 'fine', dependencies: ['store@^1.2', { id: 'nobody', optional: true }] },
    ]);
    await manager.up();
    expect(statesOf(manager)).toEqual({ store: 'running', fine: 'running' });
  });
});
