/** A plugin that ends by itself, by accident or on purpose. FAILURES 1 to 4, 16, 17, 24, 25. */
import { access } from 'node:fs/promises';
import path from 'node:path';

import type { CrashReason } from 'troupe';
import { describe, expect, it } from 'vitest';

import { nextEvent } from '../../support/events.ts';
import { crashed, FailureScene, ISOLATIONS, type Deed } from '../../support/failure-scene.ts';
import { temporaryFolder } from '../../support/files.ts';
import { createManager, EAGER_RESTART, run } from '../../support/manager.ts';
import { codesOf, failureOf, later } from '../../support/outcomes.ts';
import { soon } from '../../support/soon.ts';

/** Long enough to do something while it lasts. */
const SLOW_RESTART = { ...EAGER_RESTART, backoff: { minMs: 300, maxMs: 300, jitter: 0 } };

const THROWN = [
  'a proxy that refuses',
  'undefined',
  'null',
  'a string',
  'a symbol',
  'a function',
  'an error with getters that throw',
  'an error that is its own cause',
];

describe.each(ISOLATIONS)('in a %s', (isolation) => {
  it.each<[string, [Deed, CrashReason, string][]]>([
    [
      'row 1: an uncaught exception or an unhandled rejection, in a timer or a listener,',
      [
        [{ do: 'throw' }, 'uncaught', 'thrown later'],
        [{ do: 'reject' }, 'unhandled-rejection', 'rejected later'],
        [{ do: 'throw in a listener' }, 'uncaught', 'thrown in a listener'],
      ],
    ],
    [
      'row 3: an exception that the plugin swallows',
      [[{ do: 'swallow' }, 'uncaught', 'do not touch']],
    ],
    [
      'row 4: process.exit with any code',
      [
        [{ do: 'exit', code: 0 }, 'exit', '0'],
        [{ do: 'exit', code: 3 }, 'exit', '3'],
        [{ do: 'exitCode', code: 3 }, 'exit', '3'],
      ],
    ],
    ['row 16: an exit handler that never returns', [[{ do: 'exit and stay' }, 'exit', '0']]],
    ['row 17: a stack overflow in a timer', [[{ do: 'overflow later' }, 'uncaught', 'call stack']]],
  ])('%s is a typed crash, and harms nobody else', async (_, cases) => {
    const scene = await FailureScene.open(isolation);
    const crashes = await scene.dies(cases.map(([deed]) => deed));
    expect(crashes).toMatchObject(
      cases.map(([, reason, message]) => ({
        reason,
        message: expect.stringContaining(message) as string,
      })),
    );
    const stats = await scene.quiet();
    expect(stats.calls.crashed).toBe(4 * cases.length);
  });

  it('row 2: whatever is thrown or rejected becomes an Error with a message', async () => {
    const scene = await FailureScene.open(isolation);
    const deeds = THROWN.flatMap((what) => [
      { do: 'throw', what },
      { do: 'reject', what },
    ]);
    for (const [index, deed] of deeds.entries()) {
      const told = nextEvent(scene.manager, 'crashed');
      scene.ask(`deed ${String(index)}`, deed);
      const { crash } = await told;
      const reason = deed.do === 'throw' ? 'uncaught' : 'unhandled-rejection';
      expect({ ...deed, reason: crash.reason }).toEqual({ ...deed, reason });
      expect(crash.error).toBeInstanceOf(Error);
      expect(typeof crash.message).toBe('string');
    }
    const outcomes = Object.values(await scene.outcomes());
    expect(outcomes.slice(-deeds.length)).toEqual(deeds.map(() => 'PLUGIN_CRASHED'));
    await scene.survived({ lives: deeds.length + 1 });
  });

  it('row 3: a plugin that takes our handler away and swallows its error is left to deadlines', async () => {
    const scene = await FailureScene.open(isolation);
    const outcomes = await scene.settles({ do: 'swallow', alone: true }, { timeoutMs: 500 });
    expect(outcomes).toEqual(crashed('CALL_TIMEOUT'));
    const { lastCrash } = await scene.survived({ lives: 2 });
    expect(lastCrash?.reason).toBe('hang');
  });

  it('row 16: hooks run at unload, exit handlers do not', async () => {
    const manager = createManager();
    const file = path.join(await temporaryFolder(), 'exit');
    const plugin = await run(manager, 'saboteur.mjs', { isolation, restart: EAGER_RESTART });
    await plugin.execute({ do: 'write a file at exit', file });
    await plugin.unload();
    expect(await manager.context.state.get('hooks')).toEqual(['load', 'stop', 'unload']);
    await expect(access(file)).rejects.toThrow('ENOENT');
  });

  it('row 17: a stack overflow in a call fails that call alone, also with a smaller stack', async () => {
    const scene = await FailureScene.open(isolation, { limits: { stackMb: 1 } });
    scene.ask('deed', { do: 'overflow' });
    await scene.letGo();
    expect(await scene.outcomes()).toMatchObject({ begun: 'held', deed: 'CALL_FAILED' });
    const { calls } = await scene.survived({ lives: 1 });
    expect(calls).toMatchObject({ failed: 1, crashed: 0 });
  });

  it('row 24: what was answered just before an exit arrives', async () => {
    const scene = await FailureScene.open(isolation);
    const outcomes = await scene.settles({ do: 'exit after an answer' });
    expect(outcomes).toEqual(crashed('the last answer'));
    scene.read('chunks', { do: 'exit after chunks', count: 40 });
    const chunks = Array.from({ length: 40 }, (_, i) => String(i)).join(', ');
    expect(await scene.outcomes()).toMatchObject({ chunks: `${chunks}, PLUGIN_CRASHED` });
    await scene.survived({ lives: 3 });
  });

  it('row 25: what is for a life that is over is dropped, and what is for the plugin waits', async () => {
    const scene = await FailureScene.open(isolation, { restart: SLOW_RESTART });
    // the first restart is at once
    expect(await scene.settles({ do: 'exit', code: 1 })).toEqual(crashed('PLUGIN_CRASHED'));
    const abort = new AbortController();
    const begun = nextBegun(scene);
    const call = later(scene.plugin.execute({ do: 'hold' }, { signal: abort.signal }));
    const reader = scene.plugin.stream({ do: 'steps' })[Symbol.asyncIterator]();
    expect(await reader.next()).toMatchObject({ value: 0 });
    await begun;
    expect(await codesOf([scene.plugin.execute({ do: 'exit', code: 1 })])).toEqual([
      'PLUGIN_CRASHED',
    ]);
    expect(scene.plugin.state).toBe('restarting');
    // both are about the dead life
    abort.abort();
    expect(await failureOf(call)).toMatchObject({ code: 'PLUGIN_CRASHED' });
    await reader.return?.();
    const waiting = scene.plugin.execute({ do: 'generation' });
    const given = later(scene.plugin.execute({ do: 'echo' }, { timeoutMs: 20 }));
    expect(await failureOf(given)).toMatchObject({
      code: 'CALL_TIMEOUT',
      data: { phase: 'queued' },
    });
    expect(await soon(waiting)).toBe(3);
    scene.made(5);
    await scene.survived({ lives: 3 });
  });
});

/** Settles when one call more waits inside the plugin. */
async function nextBegun({ manager }: FailureScene): Promise<void> {
  const { state } = manager.context;
  const before = await state.get<number>('begun');
  for await (const begun of state.watch<number>('begun')) if (begun !== before) return;
}
