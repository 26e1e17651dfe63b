/** A plugin that does not come back. FAILURES 12 to 14. */
import { describe, expect, it } from 'vitest';

import { newBlock } from '../../support/block.ts';
import { eventually } from '../../support/eventually.ts';
import { crashed, FailureScene, ISOLATIONS } from '../../support/failure-scene.ts';
import { createManager, EAGER_RESTART, run } from '../../support/manager.ts';
import { startNeighbour } from '../../support/neighbour.ts';
import { codesOf, failureOf, later } from '../../support/outcomes.ts';

const ENDLESS = [{ do: 'loop' }, { do: 'regex' }, { do: 'wasm loop' }, { do: 'wait' }];
/** Time enough to begin, for a call that does not end: one that is over before is no hang. */
const TIMEOUT_MS = 3_000;
/** Time enough to come to where a hook is blocked. */
const HOOK_MS = 3_000;

describe.each(ISOLATIONS)('in a %s', (isolation) => {
  // a process is ended by the system, whatever it is in
  const zombies = isolation === 'thread' ? 1 : 0;

  it('row 12: a loop, a regular expression, WebAssembly, Atomics.wait are ended after deadline and grace', async () => {
    const scene = await FailureScene.open(isolation, { limits: { graceMs: 100 } });
    const crashes = await scene.dies(ENDLESS, TIMEOUT_MS);
    expect(crashes.map(({ reason }) => reason)).toEqual(ENDLESS.map(() => 'hang'));
    await eventually(async () => {
      expect(await scene.quiet()).toMatchObject({
        zombies: 0,
        calls: { timedOut: ENDLESS.length, crashed: 3 * ENDLESS.length },
      });
    });
  });

  it('row 13: a plugin blocked in a system call is replaced before its old life is gone', async () => {
    const scene = await FailureScene.open(isolation, { limits: { graceMs: 100 } });
    const { file, release } = await newBlock();
    const outcomes = await scene.settles({ do: 'block', file }, { timeoutMs: TIMEOUT_MS });
    expect(outcomes).toEqual(crashed('CALL_TIMEOUT'));
    await scene.survived({ lives: 2 });
    expect(await scene.plugin.stats()).toMatchObject({ zombies });
    await release();
    await eventually(async () => {
      expect(await scene.plugin.stats()).toMatchObject({ zombies: 0 });
    });
  });

  it('row 13: a hook blocked in a system call is over its deadline, and nobody waits for it', async () => {
    const manager = createManager();
    const neighbour = await startNeighbour(manager, { isolation: 'thread' });
    await neighbour.isUnderWay();
    const { file, release } = await newBlock();
    const options = { isolation, restart: EAGER_RESTART } as const;
    const loading = run(manager, 'saboteur.mjs', {
      ...options,
      id: 'loading',
      limits: { hookTimeoutMs: HOOK_MS },
      config: { blocks: 'load', file },
    });
    expect(await failureOf(loading)).toMatchObject({
      code: 'LOAD_FAILED',
      data: { timedOut: true },
    });
    await manager.context.state.delete('hooks');
    const plugin = await run(manager, 'saboteur.mjs', {
      ...options,
      limits: { stopTimeoutMs: HOOK_MS },
      config: { blocks: 'stop', file },
    });
    expect(await failureOf(plugin.stop())).toMatchObject({ code: 'STOP_TIMEOUT' });
    expect(plugin.state).toBe('unloaded');
    // it was in its hook, and still is where it is a thread
    expect(await manager.context.state.get('hooks')).toEqual(['load', 'stop']);
    await neighbour.isUnharmed();
    await neighbour.wasNotSlow();
    await release();
  });

  it('row 14: close() returns with a report although a life does not end', async () => {
    const manager = createManager();
    const limits = { stopTimeoutMs: 150 };
    const neighbour = await startNeighbour(manager, { isolation: 'thread' });
    const plugin = await run(manager, 'saboteur.mjs', { isolation, limits });
    const { file } = await newBlock();
    const blocked = later(plugin.execute({ do: 'block', file }));
    const waiting = later(plugin.execute({ do: 'echo' }));
    await eventually(async () => {
      expect(await plugin.health()).toMatchObject({ busySinceMs: expect.any(Number) as number });
    });
    await neighbour.isUnharmed();
    const { clean, problems } = await manager.close();
    expect(clean).toBe(false);
    expect(problems).toMatchObject([{ id: 'saboteur', error: { code: 'STOP_TIMEOUT' } }]);
    expect(await codesOf([blocked, waiting])).toEqual(['PLUGIN_STOPPED', 'PLUGIN_STOPPED']);
  });
});
