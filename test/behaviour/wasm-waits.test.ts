/** A guest stands still while the kernel answers: deadlines, pauses and crashes reach it there. */
import type { PluginHandle, PluginManager } from 'troupe';
import { describe, expect, it } from 'vitest';

import { eventually } from '../support/eventually.ts';
import { inline } from '../support/files.ts';
import { GUEST, runGuest, statsOf } from '../support/guests.ts';
import { createManager, EAGER_RESTART } from '../support/manager.ts';
import { failureOf, later } from '../support/outcomes.ts';

/** Says when it is called, then does as it is told: never answers, or dies. */
const CALLEE = inline(`export default { async execute() {
  await globalThis.told;
  return new Promise((resolve) => setInterval(() => {}, 1_000));
} }`);

async function runCallee(manager: PluginManager, source = CALLEE): Promise<PluginHandle> {
  const { id } = await manager.register({
    id: 'callee',
    type: 'tool',
    entry: source,
    limits: { graceMs: 100 },
    restart: EAGER_RESTART,
  });
  const callee = manager.plugin(id);
  await callee.load();
  await callee.init();
  await callee.start();
  return callee;
}

/** The callee is inside the call of the guest. */
function reached(callee: PluginHandle): Promise<unknown> {
  return eventually(async () => (await statsOf(callee)).calls.inFlight === 1);
}

const RELAY = { function: 'relay', input: 'callee' };

describe.each(['thread', 'process'] as const)(
  'a guest in a %s that waits for another plugin',
  (isolation) => {
    const start = (manager: PluginManager) =>
      runGuest(manager, GUEST, { isolation, restart: EAGER_RESTART });

    it('is healthy, and ends at its deadline without its life', async () => {
      const manager = createManager();
      const callee = await runCallee(manager);
      const guest = await start(manager);
      const call = later(guest.execute(RELAY, { timeoutMs: 1_500 }));
      await reached(callee);
      expect(await guest.health()).toMatchObject({ healthy: true, live: true });
      expect(await failureOf(call)).toMatchObject({ code: 'CALL_TIMEOUT', pluginId: 'guest' });
      expect(await guest.execute('there again')).toBe('there again');
      expect(await statsOf(guest)).toMatchObject({ restarts: 0, plugin: { traps: 1 } });
      await eventually(async () =>
        expect((await statsOf(callee)).calls).toMatchObject({ inFlight: 0, aborted: 1 }),
      );
    });

    it('ends when its caller gives up', async () => {
      const manager = createManager();
      const callee = await runCallee(manager);
      const guest = await start(manager);
      const controller = new AbortController();
      const call = later(guest.execute(RELAY, { signal: controller.signal }));
      await reached(callee);
      controller.abort();
      expect(await failureOf(call)).toMatchObject({ code: 'CALL_ABORTED' });
      expect(await guest.execute('there again')).toBe('there again');
      expect(await statsOf(guest)).toMatchObject({ restarts: 0 });
    });

    it('stands still through a pause, and goes on after it', async () => {
      const manager = createManager();
      const callee = await runCallee(
        manager,
        inline(`export default () => new Promise((resolve) => setTimeout(resolve, 300, 'slow'))`),
      );
      const guest = await start(manager);
      const call = later(guest.execute(RELAY));
      await reached(callee);
      await guest.pause();
      await eventually(async () => (await statsOf(callee)).calls.succeeded === 1);
      expect((await statsOf(guest)).calls.inFlight).toBe(1);
      await guest.resume();
      expect(await call).toBe('"slow"');
    });

    it('hears of the end of whom it waits for', async () => {
      const manager = createManager();
      await runCallee(manager, inline('export default () => process.exit(3)'));
      const guest = await start(manager);
      expect(JSON.parse(String(await guest.execute(RELAY)))).toMatchObject({
        code: 'PLUGIN_CRASHED',
      });
      expect(await statsOf(guest)).toMatchObject({ restarts: 0, plugin: { traps: 0 } });
    });

    it('is not let wait for itself', async () => {
      const guest = await start(createManager());
      const answer = await guest.execute({ function: 'relay', input: 'guest' });
      expect(JSON.parse(String(answer))).toMatchObject({
        code: 'CALL_CYCLE',
        message: expect.stringContaining('guest → guest') as unknown,
      });
    });

    it('is stopped with the rest of its calls', async () => {
      const manager = createManager();
      const callee = await runCallee(manager);
      const guest = await start(manager);
      const call = later(guest.execute(RELAY));
      await reached(callee);
      await guest.unload().catch(() => undefined);
      expect(await failureOf(call)).toMatchObject({ code: 'PLUGIN_STOPPED' });
      expect(manager.state('guest')).toBe('unloaded');
    });
  },
);

describe.each(['auto', 'port'] as const)('a guest that has waited, carrier %s', (carrier) => {
  it('hears of what comes later', async () => {
    const manager = createManager();
    const guest = await runGuest(manager, GUEST, { carrier });
    for (let round = 0; round < 50; round++) {
      const answer = await guest.execute({ function: 'relay', input: 'nobody' });
      expect(JSON.parse(String(answer))).toMatchObject({ code: 'NOT_FOUND' });
      expect(await guest.execute(`round ${String(round)}`)).toBe(`round ${String(round)}`);
    }
  });
});

describe('a guest inside a loop', () => {
  it('parks where it looks up, and goes on', async () => {
    const manager = createManager();
    const guest = await runGuest(manager);
    const call = later(guest.execute({ function: 'await_state', input: 'go' }));
    await eventually(async () => (await statsOf(guest)).calls.inFlight === 1);
    await guest.pause();
    expect(manager.state('guest')).toBe('paused');
    await manager.context.state.set('go', true);
    expect((await statsOf(guest)).calls.inFlight).toBe(1);
    await guest.resume();
    expect(await call).toBe('');
  });

  it('dies in the middle of it, and comes back without being compiled again', async () => {
    const manager = createManager();
    const guest = await runGuest(manager, GUEST, { restart: EAGER_RESTART });
    const call = later(guest.execute({ function: 'spin' }, { timeoutMs: 50 }));
    const waiting = guest.execute('waited');
    expect(await failureOf(call)).toMatchObject({ code: 'CALL_TIMEOUT' });
    expect(await waiting).toBe('waited');
    expect(await statsOf(guest)).toMatchObject({ restarts: 1, lastCrash: { reason: 'hang' } });
  });

  it('begins its next life with its variables, where the spec says from a snapshot', async () => {
    const restart = { ...EAGER_RESTART, fromSnapshot: true, snapshotMs: 10 };
    const guest = await runGuest(createManager(), GUEST, { restart });
    // when a snapshot was taken cannot be seen from outside: there is more time for it at each try
    let calls = 0;
    await eventually(async () => {
      await guest.execute({ function: 'set', input: 'saved' });
      calls += 100;
      for (let i = 0; i < calls; i++) await guest.execute('meanwhile');
      await failureOf(guest.execute({ function: 'spin' }, { timeoutMs: 50 }));
      expect(await guest.execute({ function: 'get', input: 'saved' })).toBe('saved');
    });
  });
});
