import { storagePlugin } from 'troupe/plugins';
import { describe, expect, onTestFinished, test } from 'vitest';

import { eventually } from '../support/eventually.ts';
import { createManager } from '../support/manager.ts';
import { redisMissing, startRedis, type RedisServer } from '../support/redis-server.ts';
import { codeOf, failureOf, runStorage } from '../support/storage.ts';

const NO_REDIS = redisMissing();

async function server(...args: string[]): Promise<RedisServer> {
  const redis = await startRedis(...args);
  onTestFinished(() => redis.remove());
  return redis;
}

describe.skipIf(NO_REDIS !== undefined)('a storage plugin on a Redis server', () => {
  test('says so at init where there is no server, with the remedy and without the password', async () => {
    const redis = await server();
    await redis.stop();
    const manager = createManager();
    const url = `redis://user:hunter2@127.0.0.1:${String(redis.port)}`;
    const storage = await manager.register(storagePlugin('storage', { backend: 'redis', url }));
    await storage.load();
    const { code, message } = await failureOf(storage.init());
    expect(code).toBe('STORAGE_UNAVAILABLE');
    expect(message).toContain(`Redis at 127.0.0.1:${String(redis.port)} cannot be reached`);
    expect(message).toContain('Check url');
    expect(message).not.toContain('hunter2');
  });

  test('fails clearly while the server is down, is not healthy, and comes back with it', async () => {
    const redis = await server();
    const storage = await runStorage({ backend: 'redis', url: redis.url });
    await storage.put('a', 1);
    await redis.stop();
    await eventually(async () => (await codeOf(storage.get('a'))) === 'STORAGE_UNAVAILABLE');
    expect(await storage.health()).toMatchObject({ healthy: false, live: true, ready: false });
    expect((await storage.stats())?.plugin).toMatchObject({
      reason: expect.stringContaining(`Redis at 127.0.0.1:${String(redis.port)}`) as string,
      operations: { put: 1 },
      swept: 0,
    });
    await redis.start();
    await eventually(async () => (await storage.get('a')) === undefined);
    // the new server was never told the scripts
    await storage.put('a', 2);
    expect(await storage.get('a')).toBe(2);
    expect(await storage.health()).toMatchObject({ healthy: true });
    expect((await storage.stats())?.restarts).toBe(0);
  });

  test.each([{}, { healthTimeoutMs: 200 }])(
    'says of a server that is frozen that it is the one who does not answer, in time (%o)',
    async (limits) => {
      const redis = await server('--requirepass', 'hunter2');
      const url = redis.url.replace('//', '//:hunter2@');
      const storage = await runStorage({ backend: 'redis', url, limits });
      const where = `Redis at 127.0.0.1:${String(redis.port)}`;
      const silent = new RegExp(`^${where} has not answered for \\d+ ms$`);
      await storage.put('a', 1);
      redis.freeze();
      await eventually(async () => {
        expect(await storage.health()).toMatchObject({
          healthy: false,
          live: true,
          ready: false,
          detail: { healthy: false, reason: expect.stringMatching(silent) as string },
        });
      });
      // what is kept here is told all the same
      await eventually(async () => {
        expect((await storage.stats())?.plugin).toEqual({
          backend: 'redis',
          reason: expect.stringMatching(silent) as string,
          bytesMax: undefined,
          swept: 0,
          refusedAsFull: 0,
          unreadable: 0,
          operations: { put: 1 },
        });
      });
      redis.thaw();
      await eventually(async () => (await storage.health()).healthy);
      expect((await storage.stats())?.plugin).toMatchObject({ entries: 1, operations: { put: 1 } });
    },
  );

  test('says so of a frozen server while calls wait for it as well', async () => {
    const redis = await server();
    const storage = await runStorage({ backend: 'redis', url: redis.url });
    await storage.put('a', 1);
    redis.freeze();
    const patient = storage.get('a');
    await eventually(async () => {
      expect(await storage.health()).toMatchObject({ healthy: false, live: true });
    });
    await eventually(async () => {
      expect((await storage.stats())?.plugin).toMatchObject({
        reason: expect.stringContaining('has not answered for') as string,
        operations: { put: 1, get: 1 },
      });
    });
    redis.thaw();
    expect(await patient).toBe(1);
  });

  test.each([
    ['no password', '', 'NOAUTH'],
    ['a wrong password', ':hunter3@', 'WRONGPASS'],
    ['a name that is not known', 'nobody:hunter2@', 'WRONGPASS'],
  ])('is told at init that %s is not let in, and not which it was', async (_, given, refusal) => {
    const redis = await server('--requirepass', 'hunter2');
    const manager = createManager();
    const url = redis.url.replace('//', `//${given}`);
    const storage = await manager.register(storagePlugin('storage', { backend: 'redis', url }));
    await storage.load();
    const { code, message } = await failureOf(storage.init());
    expect(code).toBe('STORAGE_UNAVAILABLE');
    expect(message).toContain(
      `Redis at 127.0.0.1:${String(redis.port)} lets nobody in: ${refusal}`,
    );
    expect(message).toContain('Check the name and the password in url');
    expect(message).not.toContain('hunter');
  });

  test('gives up on a server that does not answer, within its time', async () => {
    const redis = await server();
    const storage = await runStorage({ backend: 'redis', url: redis.url });
    await storage.put('a', 1);
    redis.freeze();
    const { code, message } = await failureOf(storage.get('a'));
    expect(code).toBe('STORAGE_UNAVAILABLE');
    expect(message).toContain('does not answer');
    redis.thaw();
    await eventually(async () => (await storage.get('a')) === 1);
  });

  test('answers a caller who gives up, and costs nobody else anything', async () => {
    const redis = await server();
    const limits = { graceMs: 300 };
    const storage = await runStorage({ backend: 'redis', url: redis.url, limits });
    await storage.put('a', 1);
    redis.freeze();
    const patient = storage.get('a');
    await expect(storage.get('a', { timeoutMs: 20 })).rejects.toMatchObject({
      code: 'CALL_TIMEOUT',
    });
    // the grace is over when this is: the plugin would have been ended
    await expect(storage.get('a', { timeoutMs: 500 })).rejects.toMatchObject({
      code: 'CALL_TIMEOUT',
    });
    redis.thaw();
    expect(await patient).toBe(1);
    expect(await storage.stats()).toMatchObject({ restarts: 0, generation: 1 });
  });

  test('tells a server that has no more memory from one that is broken', async () => {
    const redis = await server('--maxmemory', '3mb', '--maxmemory-policy', 'noeviction');
    const storage = await runStorage({ backend: 'redis', url: redis.url });
    const fill = async (): Promise<void> => {
      for (let n = 0; n < 50; n++) await storage.put(String(n), new Uint8Array(200_000));
    };
    expect(await codeOf(fill())).toBe('STORAGE_FULL');
  });

  test('a value that something else wrote is named, and a scan goes past it where it is told to', async () => {
    const redis = await server();
    const storage = await runStorage({ backend: 'redis', url: redis.url, keyPrefix: 'shared' });
    for (const key of ['a', 'b', 'c']) await storage.put(key, key);
    await redis.tell('HSET {shared}:v:default b short');
    const { code, message } = await failureOf(storage.scan());
    expect(code).toBe('STORAGE_CORRUPT');
    expect(message).toContain('what is stored at "b" in the namespace "default" is no value');
    expect(await storage.scan({ unreadable: 'skip' })).toEqual([
      { key: 'a', value: 'a' },
      { key: 'c', value: 'c' },
    ]);
    expect((await storage.stats())?.plugin).toMatchObject({ unreadable: 1 });
    await storage.put('b', 'mended');
    expect(await storage.scan()).toHaveLength(3);
  });

  test('keeps plugins apart by their ids, or together by a keyPrefix', async () => {
    const redis = await server();
    const manager = createManager();
    const options = { backend: 'redis', url: redis.url } as const;
    const one = await runStorage(options, { manager, id: 'one' });
    const two = await runStorage(options, { manager, id: 'two' });
    await one.put('a', 1);
    expect(await two.get('a')).toBeUndefined();
    const both = { ...options, keyPrefix: 'shared' };
    const three = await runStorage(both, { manager, id: 'three' });
    const four = await runStorage(both, { manager: createManager(), id: 'four' });
    await three.put('a', 3);
    expect(await four.get('a')).toBe(3);
    expect(await one.get('a')).toBe(1);
  });

  test('cannot make a backup, and names what can', async () => {
    const redis = await server();
    const storage = await runStorage({ backend: 'redis', url: redis.url });
    const { code, message } = await failureOf(storage.backup('somewhere'));
    expect(code).toBe('STORAGE_BACKUP_UNSUPPORTED');
    expect(message).toContain('the tools of the server');
  });

  test('a reload of the plugin and its end leave no connection', async () => {
    const redis = await server();
    const manager = createManager();
    const storage = await runStorage({ backend: 'redis', url: redis.url }, { manager });
    await storage.put('a', 1);
    expect((await storage.reload()).ok).toBe(true);
    expect(await storage.get('a')).toBe(1);
    const report = await manager.close();
    expect(report).toEqual({ clean: true, problems: [] });
  });
});
