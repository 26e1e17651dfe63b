/** What a script does wrong: an error of its call within its deadline, and nobody else's concern. */
import type { PluginError } from 'troupe';
import { describe, expect, it } from 'vitest';

import { createManager, run } from '../support/manager.ts';
import { startNeighbour } from '../support/neighbour.ts';
import { failureOf } from '../support/outcomes.ts';
import { runFixture } from '../support/script.ts';

/** Longer than any of these takes where it is not endless, on a machine that does much else. */
const TIMEOUT_MS = 1_000;

interface Act {
  act: string;
  value?: unknown;
  /** Code of the error, or of what the script threw. */
  code: string;
  cause?: unknown;
}

type Perform = (act: Act) => Promise<{ error: PluginError; lives: number }>;

async function startRogue(): Promise<Perform> {
  const manager = createManager();
  const neighbour = await startNeighbour(manager);
  const rogue = await runFixture(manager, 'rogue.js', {
    limits: { payloadBytesMax: 1_000_000, callTimeoutMs: TIMEOUT_MS },
    script: { memoryMb: 16 },
  });
  const generation = async (): Promise<number> => (await rogue.stats())?.generation ?? 0;
  return async ({ act, value }) => {
    const before = await generation();
    const error = await failureOf(rogue.execute({ act, value }));
    // it serves on, in this life or the next
    const echo = rogue.execute({ act: 'echo', value: 'there' }, { timeoutMs: 10_000 });
    expect(await echo).toBe('there');
    await neighbour.isUnharmed();
    return { error, lives: (await generation()) - before };
  };
}

const thrown = (name: string, message: RegExp): object => ({
  name,
  message: expect.stringMatching(message) as unknown,
});

describe('a script that is at fault keeps its life, and the caller gets an error:', () => {
  const acts: Act[] = [
    { act: 'loop', code: 'CALL_TIMEOUT' },
    { act: 'try-finally', code: 'CALL_TIMEOUT' },
    { act: 'await-loop', code: 'CALL_TIMEOUT' },
    { act: 'async-finally', code: 'CALL_TIMEOUT' },
    { act: 'never', code: 'CALL_TIMEOUT' },
    { act: 'regex', code: 'CALL_TIMEOUT' },
    { act: 'proxy', code: 'CALL_TIMEOUT' },
    { act: 'thenable', code: 'CALL_TIMEOUT' },
    { act: 'flood', code: 'CALL_TIMEOUT' },
    { act: 'recursion', code: 'CALL_FAILED', cause: thrown('RangeError', /call stack/) },
    { act: 'doubling', code: 'CALL_FAILED', cause: thrown('InternalError', /too long|memory/) },
    { act: 'hoard', code: 'CALL_FAILED', cause: thrown('InternalError', /out of memory/) },
    { act: 'buffers', code: 'CALL_FAILED', cause: thrown('InternalError', /out of memory/) },
    { act: 'deep-result', code: 'PAYLOAD_TOO_LARGE' },
    { act: 'large', value: 2_000_000, code: 'PAYLOAD_TOO_LARGE' },
    { act: 'function', code: 'PAYLOAD_INVALID' },
    { act: 'process', code: 'CALL_FAILED', cause: thrown('ReferenceError', /process/) },
    { act: 'require', code: 'CALL_FAILED', cause: thrown('ReferenceError', /require/) },
    { act: 'fetch', code: 'CALL_FAILED', cause: thrown('ReferenceError', /fetch/) },
    { act: 'timer', code: 'CALL_FAILED', cause: thrown('ReferenceError', /setTimeout/) },
    { act: 'walk', code: 'CALL_FAILED', cause: thrown('ReferenceError', /process/) },
    { act: 'walk-ctx', code: 'CALL_FAILED', cause: thrown('TypeError', /env/) },
    { act: 'getter', code: 'CALL_FAILED', cause: thrown('RangeError', /in a getter/) },
    { act: 'throw-proxy', code: 'CALL_FAILED', cause: thrown('Error', /^$/) },
    { act: 'throw-getter', code: 'CALL_FAILED', cause: thrown('Error', /^$/) },
    ...['fs', 'node:fs', 'file:///etc/passwd', '../../echo.mjs', '/etc/passwd'].map((value) => ({
      act: 'import',
      value,
      code: 'CALL_FAILED',
      cause: thrown('TypeError', /imports files of its own folder only/),
    })),
    {
      act: 'import',
      value: './missing.js',
      code: 'CALL_FAILED',
      cause: thrown('TypeError', /no missing.js/),
    },
  ];
  it.each(acts)('$act $value', async (act) => {
    const { error, lives } = await (await startRogue())(act);
    expect({ error, lives }).toMatchObject({
      error: { code: act.code, pluginId: 'rogue', ...(act.cause ? { cause: act.cause } : {}) },
      lives: 0,
    });
  });
});

describe('a script that cannot be stopped, or breaks its VM, is replaced:', () => {
  const acts: Act[] = [
    { act: 'native-loop', code: 'CALL_TIMEOUT' },
    { act: 'storm', code: 'CALL_TIMEOUT' },
    { act: 'pollute', code: 'CALL_TIMEOUT' },
  ];
  it.each(acts)('$act', async (act) => {
    const { error, lives } = await (await startRogue())(act);
    expect({ code: error.code, lives }).toEqual({ code: act.code, lives: 1 });
  });
});

describe('what depends on the machine ends one way or the other:', () => {
  it.each(['deep-parse', 'deep-stringify'])('%s', async (act) => {
    const { error } = await (await startRogue())({ act, code: '' });
    expect(['CALL_FAILED', 'PLUGIN_CRASHED', 'CALL_TIMEOUT']).toContain(error.code);
  });

  it('a rejection that nobody handles is a crash, as in any plugin', async () => {
    const manager = createManager();
    const rogue = await runFixture(manager, 'rogue.js');
    await rogue.execute({ act: 'rejection' });
    expect(await rogue.execute({ act: 'echo', value: 1 })).toBe(1);
    expect((await rogue.stats())?.lastCrash).toMatchObject({
      reason: 'unhandled-rejection',
      error: { name: 'RangeError', message: 'nobody hears' },
    });
  });
});

describe('out of its VM a script', () => {
  it('reaches nothing of the thread: what it finds is its own', async () => {
    const rogue = await runFixture(createManager(), 'rogue.js');
    expect(await rogue.execute({ act: 'reach' })).toEqual([]);
    expect(await rogue.execute({ act: 'eval' })).toBe('Objectundefined');
    expect(await rogue.execute({ act: 'own-call' })).toEqual([]);
  });

  it('sends keys that pollute nobody', async () => {
    const manager = createManager();
    const rogue = await runFixture(manager, 'rogue.js');
    const echo = await run(manager, 'echo.mjs');
    const sent = await rogue.execute({ act: 'proto' });
    expect(Object.keys(sent as object)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(sent)).toBe(Object.prototype);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(await echo.execute(sent)).toEqual(sent);
  });
});
