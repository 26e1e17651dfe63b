import { expect, test } from 'vitest';

import { inline } from '../support/files.ts';
import { createManager } from '../support/manager.ts';
import { failureOf } from '../support/outcomes.ts';

const HOSTILE = inline(`
  const refuse = () => { throw new Error('do not touch'); };
  const results = {
    'a proxy that refuses': () => new Proxy({}, { has: refuse, get: refuse, getPrototypeOf: refuse }),
    'a promise of one': async () => results['a proxy that refuses'](),
    'a thenable that throws': () => ({ then() { throw new TypeError('no then'); } }),
    'a thenable that settles twice': () => ({ then(ok, fail) { ok('first'); ok('second'); fail(1); } }),
    'a thenable that fails': () => ({ then(ok, fail) { fail(new RangeError('failed')); } }),
  };
  export default (what) => results[what]?.() ?? what;
`);

async function runHostile() {
  const manager = createManager();
  const plugin = await manager.register({ id: 'hostile', type: 'custom', entry: HOSTILE });
  await manager.up();
  return plugin;
}

test.each(['a proxy that refuses', 'a promise of one', 'a thenable that throws'])(
  'a result that is %s fails its call alone',
  async (what) => {
    const plugin = await runHostile();
    const error = await failureOf(plugin.execute(what));
    expect(error).toMatchObject({ pluginId: 'hostile' });
    expect(['CALL_FAILED', 'PAYLOAD_INVALID']).toContain((error as { code?: string }).code);
    expect(await plugin.execute('next')).toBe('next');
    expect(await plugin.stats()).toMatchObject({ generation: 1, calls: { failed: 1 } });
  },
);

test('a thenable is settled by what it says first', async () => {
  const plugin = await runHostile();
  expect(await plugin.execute('a thenable that settles twice')).toBe('first');
  const error = await failureOf(plugin.execute('a thenable that fails'));
  expect(error).toMatchObject({ code: 'CALL_FAILED', cause: { name: 'RangeError' } });
  expect(await plugin.stats()).toMatchObject({ calls: { succeeded: 1, failed: 1, inFlight: 0 } });
});
