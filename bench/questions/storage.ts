/** What does the storage plugin add to LMDB, which it is built on? */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { deserialize, serialize } from 'node:v8';

import { open } from 'lmdb';
import { PluginManager } from 'troupe';
import { storagePlugin } from 'troupe/plugins';

import type { Question, QuestionOptions } from '../question.ts';
import { inRounds, type Entrant } from '../support/rounds.ts';

const KEYS = 10_000;
const IN_FLIGHT = 256;
const BATCH = 1_000;

const BARE = 'bare LMDB';
const PLUGIN = 'storage plugin';

/** Each does something with all keys, and says how many operations that were. */
interface Store {
  put(key: string, value: unknown): Promise<unknown>;
  get(key: string): unknown;
  batch(keys: readonly string[], value: unknown): Promise<unknown>;
  scan(): Promise<number>;
}

export const storage: Question = {
  name: 'storage',
  title: 'What does the storage plugin cost, beside the database it is built on?',
  about: `Small objects under ${KEYS.toLocaleString('en')} keys: put one by one, read one by one (${String(IN_FLIGHT)} at once), put in batches of ${BATCH.toLocaleString('en')}, and scanned in order. Bare LMDB runs in the caller’s own thread, with the same encoding and commits that are on disk; its reads are calls of a function. The plugin runs in its own thread, and also keeps sizes and times to live.`,
  unit: 'calls/s',
  better: 'higher',
  base: BARE,
  scale: 'own',
  targets: [],
  ask: ({ quick, ...options }: QuestionOptions) =>
    inRounds([bare(), plugin()], { rounds: quick ? 3 : 11, deadlineMs: 60_000, ...options }),
};

function bare(): Entrant {
  return {
    contender: BARE,
    settings: 'same thread, overlappingSync: false',
    async start() {
      const folder = await mkdtemp(path.join(os.tmpdir(), 'troupe-bench-'));
      const database = open<Buffer, string>({
        path: path.join(folder, 'data'),
        noSubdir: false,
        encoding: 'binary',
        overlappingSync: false,
      });
      return {
        measure: () =>
          measured({
            put: (key, value) => database.put(key, serialize(value)),
            get: (key) => {
              const bytes = database.getBinary(key);
              return bytes && (deserialize(bytes) as unknown);
            },
            batch: (keys, value) =>
              database.batch(() => {
                for (const key of keys) void database.put(key, serialize(value));
              }),
            async scan() {
              let count = 0;
              for (const { value } of database.getRange()) {
                deserialize(value);
                count++;
              }
              return count;
            },
          }),
        async stop() {
          await database.close();
          await rm(folder, { recursive: true, force: true });
        },
      };
    },
  };
}

function plugin(): Entrant {
  return {
    contender: PLUGIN,
    settings: 'own thread, defaults',
    async start() {
      const folder = await mkdtemp(path.join(os.tmpdir(), 'troupe-bench-'));
      const manager = new PluginManager('bench', { logs: 'silent' });
      const store = await manager.register(
        storagePlugin('storage', { path: path.join(folder, 'data') }),
      );
      await manager.up();
      return {
        measure: () =>
          measured({
            put: (key, value) => store.put(key, value),
            get: (key) => store.get(key),
            batch: (keys, value) =>
              store.batch(keys.map((key) => ({ op: 'put' as const, key, value }))),
            async scan() {
              let count = 0;
              for await (const { value } of store.entries()) if (value !== undefined) count++;
              return count;
            },
          }),
        async stop() {
          await manager.close();
          await rm(folder, { recursive: true, force: true });
        },
      };
    },
  };
}

async function measured(store: Store): Promise<Record<string, number>> {
  const keys = Array.from({ length: KEYS }, (_, at) => `key ${String(at).padStart(6, '0')}`);
  const value = { name: 'Ada', tags: ['one', 'two'], visits: 3 };
  return {
    'put': await rate(() => inFlight(keys, (key) => store.put(key, value))),
    'get': await rate(() => inFlight(keys, (key) => store.get(key))),
    'put in batches': await rate(async () => {
      for (let at = 0; at < KEYS; at += BATCH) await store.batch(keys.slice(at, at + BATCH), value);
    }),
    'scan': await rate(async () => {
      const count = await store.scan();
      if (count !== KEYS) throw new Error(`it scanned ${String(count)} keys`);
    }),
  };
}

async function inFlight(keys: readonly string[], act: (key: string) => unknown): Promise<void> {
  const waiting = keys.values();
  const lane = async (): Promise<void> => {
    for (const key of waiting) await act(key);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
}

/** Keys a second. */
async function rate(work: () => Promise<void>): Promise<number> {
  const from = performance.now();
  await work();
  return KEYS / ((performance.now() - from) / 1_000);
}
