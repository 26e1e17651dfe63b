import path from 'node:path';

import { storagePlugin } from 'troupe/plugins';
import { expect, test } from 'vitest';

import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/files.ts';
import { createManager } from '../support/manager.ts';

const KILLS = 200;
const WRITERS = 4;
const BATCH_KEYS = 300;
/** Multiples of it lie evenly between 0 and 1. */
const GOLDEN = 0.618_034;
/** Of everything together; what is left of the kills then is left out, and the claim of their number fails. */
const TIME_MS = 60_000;

test(
  'nothing acknowledged is lost, and no batch is there in part, over hundreds of ends in mid-write',
  async () => {
    const manager = createManager();
    const folder = path.join(await temporaryFolder(), 'data');
    const storage = await manager.register(
      storagePlugin('storage', {
        path: folder,
        restart: { intensity: 10 * KILLS, backoff: { minMs: 0, maxMs: 0 } },
        limits: { graceMs: 0 },
      }),
    );
    // another thread has the same environment open, writes there too, and is left alone
    const neighbour = await manager.register(storagePlugin('neighbour', { path: folder }));
    await manager.up();

    const acknowledged = new Map<string, number>();
    const attempted = new Map<string, number>();
    const batches: string[] = [];
    const acknowledgedBatches = new Set<string>();
    const seen = { isOver: false, kills: 0 };

    /** Counts up under a key of its own, and adds a new key each time. */
    const write = async (writer: number): Promise<void> => {
      for (let n = 1; !seen.isOver; n++) {
        for (const [key, value] of [
          [`counter:${String(writer)}`, n],
          [`entry:${String(writer)}:${String(n)}`, n],
        ] as const) {
          attempted.set(key, value);
          try {
            await storage.put(key, value);
            acknowledged.set(key, value);
          } catch {
            // it may be there, or not
          }
        }
      }
    };
    const writers = Array.from({ length: WRITERS }, (_, writer) => write(writer));

    let written = 0;
    const others = (async () => {
      for (; !seen.isOver; written++) await neighbour.put(`neighbour:${String(written)}`, written);
    })();
    others.catch(() => undefined);

    const until = performance.now() + TIME_MS;
    manager.on('crashed', ({ id }) => {
      if (id === 'storage') seen.kills++;
    });
    const writeBatch = async (round: number, signal?: AbortSignal): Promise<void> => {
      const tag = `batch:${String(round)}:`;
      batches.push(tag);
      const operations = Array.from({ length: BATCH_KEYS }, (_, at) => ({
        op: 'put' as const,
        key: tag + String(at),
        value: round,
      }));
      try {
        await storage.batch(operations, signal && { signal });
        acknowledgedBatches.add(tag);
      } catch {
        // it may be there, or not
      }
    };
    const startedAt = performance.now();
    await writeBatch(0);
    const batchMs = performance.now() - startedAt;
    for (let round = 1; seen.kills < KILLS && performance.now() < until; round++) {
      const controller = new AbortController();
      // spread over what a batch takes, from its start to far behind its end
      const momentMs = ((round * GOLDEN) % 1) * batchMs * 2;
      const timer = setTimeout(() => {
        controller.abort();
      }, momentMs);
      await writeBatch(round, controller.signal);
      clearTimeout(timer);
      await eventually(() => storage.state === 'running');
    }
    seen.isOver = true;
    await Promise.all(writers);
    await others;
    expect(seen.kills).toBeGreaterThanOrEqual(KILLS);

    const found = new Map<string, unknown>();
    for await (const { key, value } of storage.entries()) found.set(key, value);
    const lost = [...acknowledged].filter(([key, value]) => {
      const there = found.get(key);
      return typeof there !== 'number' || there < value || there > (attempted.get(key) ?? 0);
    });
    expect(lost).toEqual([]);
    expect(acknowledged.size).toBeGreaterThan(WRITERS);

    const sizes = batches.map((tag) => {
      const { length } = [...found.keys()].filter((key) => key.startsWith(tag));
      return { tag, length };
    });
    expect(sizes.filter(({ length }) => length !== 0 && length !== BATCH_KEYS)).toEqual([]);
    expect(sizes.filter(({ tag, length }) => acknowledgedBatches.has(tag) && length === 0)).toEqual(
      [],
    );
    expect(await neighbour.count({ prefix: 'neighbour:' })).toBe(written);
    // what is counted with each commit is what is there
    expect((await storage.stats())?.plugin['entries']).toBe(found.size);
  },
  TIME_MS + 30_000,
);
