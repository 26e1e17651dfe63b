/** The memory plugin, in its thread: see spec.ts for what it is. */
import { definePlugin, type PluginContext } from 'troupe/plugin';

import { messageOf } from '../coded-error.ts';
import { Embedder } from './embedder.ts';
import { Entries } from './entries.ts';
import { Ids } from './ids.ts';
import { decodeInput } from './input.ts';
import { isPlainObject } from './json.ts';
import { NOBODY, storageKeeper } from './keeper.ts';
import { MemoryError } from './memory-error.ts';
import { embedSource, tokenCounter } from './modules.ts';
import { createOps, type MemoryOps } from './ops.ts';
import type { Parts } from './parts.ts';
import { rebuild, restore } from './rebuild.ts';
import { recordOf } from './record.ts';
import type { MemorySettings } from './settings.ts';
import { statsOf } from './stats.ts';
import type { MemoryOutput } from './types.ts';
import { Upkeep } from './upkeep.ts';
import { Writer } from './writer.ts';

interface Loaded extends Parts {
  ops: MemoryOps;
  upkeep: Upkeep;
}

export default definePlugin<unknown, MemoryOutput>((ctx) => {
  const settings = settingsOf(ctx);
  const took = ctx.metrics.histogram('memory_search_ms');
  let loaded: Loaded | undefined;
  let sweeper: NodeJS.Timeout | undefined;

  const memory = (): Loaded => {
    if (loaded) return loaded;
    throw new Error('the memory is not loaded');
  };

  const startUpkeep = (): void => {
    const { upkeep } = memory();
    upkeep.isHeld = false;
    void upkeep.sweep();
    sweeper = setInterval(() => void upkeep.sweep(), settings.sweepMs).unref();
  };

  /** Settles when nothing is on its way to the storage any more. */
  const holdUpkeep = async (): Promise<void> => {
    clearInterval(sweeper);
    const { upkeep, writer } = memory();
    upkeep.isHeld = true;
    await writer.idle();
  };

  return {
    async load() {
      loaded = await load(ctx, settings);
    },

    async start() {
      const { upkeep: _, ...parts } = memory();
      if (settings.storage !== undefined) await readBack(parts, settings.storage);
      startUpkeep();
    },

    pause: holdUpkeep,
    resume: startUpkeep,
    stop: holdUpkeep,

    async execute(input, call) {
      const { ops, upkeep } = memory();
      upkeep.isHeld = false;
      const request = decodeInput(input, settings);
      const from = performance.now();
      const answer = await orAborted(ops.run(request, call.signal), call.signal);
      if (request.op === 'search') took.record(performance.now() - from);
      return answer;
    },

    health() {
      const { embedder, writer } = memory();
      const storage = writer.trouble ?? 'ok';
      const trouble = writer.trouble ?? embedder?.trouble;
      return {
        healthy: trouble === undefined,
        ...(settings.storage === undefined ? {} : { storage }),
        ...(embedder ? { embedder: embedder.trouble ?? 'ok' } : {}),
      };
    },

    stats: () => (loaded ? statsOf(loaded, loaded.ops) : {}),

    /** With a storage the next version reads that; but it must not miss what is on its way there. */
    async snapshot() {
      const { upkeep, writer, entries } = memory();
      upkeep.isHeld = true;
      await writer.idle();
      if (settings.storage !== undefined) return { records: [] };
      const records = Array.from(entries.all(), ({ entry, vector }) => ({
        key: entry.id,
        value: recordOf(entry, vector, settings.embedderModel),
      }));
      return { records };
    },

    async restore(saved: unknown) {
      if (settings.storage !== undefined) return;
      const records = isPlainObject(saved) ? saved['records'] : undefined;
      await restore(memory(), Array.isArray(records) ? records : []);
    },
  };
});

async function load(ctx: PluginContext, settings: MemorySettings): Promise<Loaded> {
  const [orama, trees] = await Promise.all([import('@orama/orama'), import('@orama/orama/trees')]);
  const entries = new Entries({ ...settings, libraries: { orama, trees } });
  const keeper =
    settings.storage === undefined ? NOBODY : storageKeeper(ctx, settings.storage, settings);
  const tally = { evicted: 0, expired: 0, unreadable: 0 };
  const parts: Parts = {
    settings,
    entries,
    keeper,
    writer: new Writer({ entries, keeper, tally }),
    ids: new Ids(),
    embedder: await embedderOf(ctx, settings),
    log: ctx.log,
    tally,
  };
  const countTokens = await tokenCounter(settings.tokenizer && ctx.modules['tokenizer']);
  return { ...parts, upkeep: new Upkeep(parts), ops: createOps({ ...parts, countTokens }) };
}

async function embedderOf(
  ctx: PluginContext,
  { embedder, embedTimeoutMs, embedBatch, dimensions }: MemorySettings,
): Promise<Embedder | undefined> {
  if (!embedder) return undefined;
  const source = await embedSource(ctx, embedder, embedTimeoutMs);
  return new Embedder(source, { batch: embedBatch, dimensions });
}

async function readBack(parts: Parts, storage: string): Promise<void> {
  try {
    await rebuild(parts);
  } catch (error) {
    const problem = `the memory could not be read back from ${storage}: ${messageOf(error)}`;
    throw new MemoryError('MEMORY_STORAGE_FAILED', problem, { cause: error });
  }
}

/** The config is what the factory made of its options. */
function settingsOf({ config, id }: PluginContext): MemorySettings {
  if (typeof config['maxEntries'] === 'number') return config as unknown as MemorySettings;
  throw new Error(`${id}: make the spec of a memory with memoryPlugin() of troupe/plugins`);
}

/** Who gave up must not be waited for: the work goes on by itself, and is durable or not at all. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let giveUp: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    giveUp = () => {
      reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    };
    signal.addEventListener('abort', giveUp, { once: true });
  });
  work.catch(() => undefined);
  try {
    signal.throwIfAborted();
    return await Promise.race([work, aborted]);
  } finally {
    if (giveUp) signal.removeEventListener('abort', giveUp);
  }
}
