/** What a plugin gets from its surroundings, and what it prints into them. FAILURES 26, 30 to 32. */
import process from 'node:process';
import { setEnvironmentData } from 'node:worker_threads';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { eventsOf, recordEvents } from '../../support/events.ts';
import { eventually } from '../../support/eventually.ts';
import { crashed, FailureScene, ISOLATIONS, unharmed } from '../../support/failure-scene.ts';
import { inline } from '../../support/files.ts';
import { createManager, run, specOf } from '../../support/manager.ts';
import { startNeighbour } from '../../support/neighbour.ts';

const LOG_BYTES_PER_SEC_MAX = 20_000;

describe.each(ISOLATIONS)('in a %s', (isolation) => {
  it('row 26: a flood of output while main is busy is bounded, and holds nobody up', async () => {
    const scene = await FailureScene.open(isolation, {
      limits: { logBytesPerSecMax: LOG_BYTES_PER_SEC_MAX },
    });
    const settled = scene.settles({ do: 'print', lines: 20_000 });
    // the calls leave in this turn's microtasks; then nobody reads
    await Promise.resolve();
    const until = performance.now() + 200;
    while (performance.now() < until);
    await scene.letGo();
    expect(await settled).toEqual(unharmed('undefined'));
    const lines = eventsOf(scene.events, 'log');
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.every(({ id }) => id === 'saboteur')).toBe(true);
    const bytes = lines.reduce((sum, { message }) => sum + message.length, 0);
    // a few seconds' worth of 4 MB
    expect(bytes).toBeLessThan(20 * LOG_BYTES_PER_SEC_MAX);
    await scene.survived({ lives: 1 });
  });

  it('row 26: what was printed before a life is ended from outside is not lost', async () => {
    const scene = await FailureScene.open(isolation, { limits: { graceMs: 100 } });
    const deed = { do: 'print and loop', lines: 3 };
    expect(await scene.settles(deed, { timeoutMs: 500 })).toEqual(crashed('CALL_TIMEOUT'));
    const { lastCrash } = await scene.survived({ lives: 2 });
    expect(lastCrash?.logs).toEqual(['line 0', 'line 1', 'line 2']);
  });

  it('row 30, row 31: a plugin gets no environment, flags or arguments but those it is permitted', async () => {
    const manager = createManager();
    vi.stubEnv('TROUPE_TEST_SECRET', 'a secret');
    vi.stubEnv('TROUPE_TEST_PERMITTED', 'not a secret');
    vi.stubEnv('NODE_OPTIONS', '--no-warnings');
    onTestFinished(() => void vi.unstubAllEnvs());
    const { execArgv } = process;
    process.execArgv = [...execArgv, '--stack-trace-limit=3'];
    onTestFinished(() => {
      process.execArgv = execArgv;
    });
    const plain = await run(manager, 'saboteur.mjs', { isolation, id: 'plain' });
    const permitted = await run(manager, 'saboteur.mjs', {
      isolation,
      id: 'permitted',
      permissions: { env: ['TROUPE_TEST_PERMITTED', 'TROUPE_TEST_NOT_SET'] },
    });
    const nothing = { env: {}, execArgv: [], argv: [], polluted: [] };
    expect(await plain.execute({ do: 'see' })).toEqual(nothing);
    expect(await permitted.execute({ do: 'see' })).toEqual({
      ...nothing,
      env: { TROUPE_TEST_PERMITTED: 'not a secret' },
    });
  });

  it('row 32: a polluted Object.prototype in main changes neither the options nor the calls', async () => {
    const manager = createManager();
    const neighbour = await startNeighbour(manager, { isolation: 'thread' });
    await neighbour.isUnderWay();
    const polluted: Record<string, unknown> = {
      env: { POLLUTED: 'env' },
      argv: ['polluted'],
      eval: true,
      execArgv: ['--no-such-flag'],
      resourceLimits: { maxOldGenerationSizeMb: 1 },
      stdin: true,
      shell: true,
      cwd: '/there/is/none',
      uid: 12_345,
      argv0: 'polluted',
      detached: true,
      timeout: 1,
      killSignal: 'SIGCONT',
      NODE_OPTIONS: '--no-such-flag',
      POLLUTED: 'key',
    };
    const plugin = await manager.register(specOf('saboteur.mjs', { isolation }));
    const forget = pollute(polluted);
    try {
      for (const verb of ['load', 'init', 'start'] as const) await plugin[verb]();
      const seen = await manager.execute<{ env: object }>(plugin.id, { do: 'see' });
      expect({ ...seen, env: Object.keys(seen.env) }).toEqual({
        env: [],
        execArgv: [],
        argv: [],
        polluted: [],
      });
      expect(await plugin.execute({ do: 'echo', value: { a: [1] } })).toEqual({ a: [1] });
    } finally {
      forget();
    }
    await neighbour.isUnharmed();
    await neighbour.wasNotSlow();
  });
});

describe('row 31: what all threads share', () => {
  const SHARER = inline(`
    import { BroadcastChannel, getEnvironmentData, parentPort, Worker, workerData } from 'node:worker_threads';
    import inspector from 'node:inspector';
    const names = ['troupe', 'control', 'kernel', 'bus', ''];
    export default async (what) => {
      if (what === 'look') {
        return { data: getEnvironmentData('troupe-test'), workerData: Object.keys(workerData ?? {}), url: inspector.url() };
      }
      const channels = names.map((name) => new BroadcastChannel(name));
      for (const channel of channels) for (let i = 0; i < 100; i++) channel.postMessage({ kind: 1, i });
      for (let i = 0; i < 100; i++) parentPort.postMessage({ type: 'GET', id: i, path: ['ping'] });
      for (const channel of channels) channel.close();
      const nested = new Worker('setInterval(() => {}, 1000)', { eval: true });
      await new Promise((resolve) => nested.once('online', resolve));
      return 'said';
    };
  `);

  it('carries nothing of the runtime: junk on it harms nobody, and threads of a thread end with it', async () => {
    const manager = createManager();
    setEnvironmentData('troupe-test', 'open to all');
    onTestFinished(() => {
      setEnvironmentData('troupe-test', undefined);
    });
    const events = recordEvents(manager);
    const neighbour = await startNeighbour(manager, { isolation: 'thread' });
    await neighbour.isUnderWay();
    const plugin = await manager.register({ id: 'sharer', type: 'tool', entry: SHARER });
    for (const verb of ['load', 'init', 'start'] as const) await plugin[verb]();
    // the program's own environment data is the program's own risk
    expect(await plugin.execute('look')).toEqual({
      data: 'open to all',
      workerData: [],
      url: undefined,
    });
    expect(await plugin.execute('share')).toBe('said');
    expect(await plugin.execute('look')).toMatchObject({ data: 'open to all' });
    await plugin.unload();
    expect(eventsOf(events, 'crashed')).toEqual([]);
    expect(eventsOf(events, 'warning')).toEqual([]);
    await neighbour.isUnharmed();
    await neighbour.wasNotSlow();
    await eventually(async () => {
      expect((await manager.stats('sharer'))?.zombies).toBe(0);
    });
  });
});

/** @returns what takes it away again. */
function pollute(keys: Record<string, unknown>): () => void {
  for (const [key, value] of Object.entries(keys)) {
    // oxlint-disable-next-line no-extend-native -- the mistake is the point
    Object.defineProperty(Object.prototype, key, {
      value,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
  return () => {
    for (const key of Object.keys(keys)) Reflect.deleteProperty(Object.prototype, key);
  };
}
