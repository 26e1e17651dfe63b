/** The ways a plugin's life ends in a soak, and comes back. */
import { setImmediate as nextTurn } from 'node:timers/promises';

import { PluginError, type PluginManager, type PluginSpec } from 'troupe';

import type { Tier } from '../support/chaos/cast.ts';

export interface Mortal {
  id: string;
  tier: Tier;
  spec: PluginSpec;
}

interface EndingOf {
  name: string;
  weight: number;
  tier?: Tier;
  /** Ends this life; settles when its caller has heard of it. */
  end(manager: PluginManager, mortal: Mortal): Promise<void>;
}

/** A call that the plugin dies of; only `code` will do as an answer. */
const by =
  (input: object, code = 'PLUGIN_CRASHED', timeoutMs = 0): EndingOf['end'] =>
  async (manager, { id }) => {
    const ended = await manager.execute(id, input, { timeoutMs }).then(
      () => 'ok',
      (error: unknown) => (error instanceof PluginError ? error.code : String(error)),
    );
    if (ended !== code) throw new Error(`${id}: ${JSON.stringify(input)} ended with ${ended}`);
  };

const HANG_MS = 20;

export const ENDINGS: readonly EndingOf[] = [
  { name: 'exit', weight: 18, end: by({ do: 'exit', code: 1 }) },
  { name: 'uncaught error', weight: 15, end: by({ do: 'throw later', what: 'error' }) },
  { name: 'unhandled rejection', weight: 15, end: by({ do: 'reject later', what: 'error' }) },
  { name: 'stack overflow', weight: 4, end: by({ do: 'recurse later' }) },
  { name: 'SIGKILL', weight: 18, tier: 'process', end: by({ do: 'kill' }) },
  {
    name: 'loop, ended by its deadline',
    weight: 4,
    end: by({ do: 'spin' }, 'CALL_TIMEOUT', HANG_MS),
  },
  {
    name: 'leaves by itself',
    weight: 4,
    end: by({ do: 'leave', how: 'normal' }, 'PLUGIN_STOPPED'),
  },
  {
    name: 'exit with a lock held',
    weight: 5,
    end: by({ do: 'lock', name: 'room', me: 1, dieInside: true }),
  },
  {
    name: 'exit in the middle of a stream',
    weight: 5,
    end: async (manager, { id }) => {
      let read = 0;
      try {
        for await (const _ of manager.stream(id, { do: 'stream', chunks: 100, dieAfter: 70 })) {
          read++;
        }
      } catch {
        if (read <= 70) return;
      }
      throw new Error(`${id}: ${String(read)} chunks of a stream that dies after 70`);
    },
  },
  {
    name: 'exit with calls waiting',
    weight: 8,
    end: async (manager, mortal) => {
      const died = by({ do: 'exit', code: 0 })(manager, mortal);
      const waiting = [1, 2, 3].map((value) =>
        manager.execute(mortal.id, { do: 'echo', value }, { timeoutMs: 60_000 }),
      );
      await Promise.all([died, ...waiting]);
    },
  },
  { name: 'restart by verb', weight: 12, end: (manager, { id }) => manager.restart(id) },
  {
    name: 'unload and load',
    weight: 4,
    end: async (manager, { id }) => {
      await manager.unload(id);
      await up(manager, id);
    },
  },
  {
    name: 'unregister and register',
    weight: 3,
    end: async (manager, { id, spec }) => {
      await manager.unregister(id);
      await nextTurn();
      await manager.register(spec);
      await up(manager, id);
    },
  },
];

export async function up(manager: PluginManager, id: string): Promise<void> {
  await manager.load(id);
  await manager.init(id);
  await manager.start(id);
}
