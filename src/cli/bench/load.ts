/** Keeps a number of calls open: each lane makes its next call when the one before has settled. */
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';

import type { PluginManager } from '../../index.ts';
import type { Inputs } from './inputs.ts';
import type { Meter } from './meter.ts';

export interface Load {
  manager: PluginManager;
  /** Lanes are spread over them evenly. */
  ids: readonly string[];
  inputs: Inputs;
  inFlight: number;
  meter: Meter;
  timeoutMs: number;
  isStream: boolean;
  /** Told of each call that failed. */
  onFailure: (error: unknown) => string;
}

/** Settles when the meter is over and every lane has come back. Rejects where an input cannot be made. */
export async function drive(load: Load): Promise<void> {
  const { ids, inFlight, isStream } = load;
  const lane = isStream ? streamLane : callLane;
  await Promise.all(
    Array.from({ length: inFlight }, async (_, i) => {
      try {
        await lane(load, ids[i % ids.length] ?? '');
      } catch (error) {
        load.meter.stop();
        throw error;
      }
    }),
  );
}

async function callLane(
  { manager, inputs, meter, timeoutMs, onFailure }: Load,
  id: string,
): Promise<void> {
  const options = { timeoutMs };
  while (!meter.isOver) {
    const next = inputs.next();
    const input: unknown = next instanceof Promise ? await next : next;
    const startedAt = performance.now();
    try {
      await manager.execute(id, input, options);
      meter.succeeded(startedAt);
    } catch (error) {
      meter.failed(onFailure(error));
      await breath();
    }
  }
}

async function streamLane(
  { manager, inputs, meter, timeoutMs, onFailure }: Load,
  id: string,
): Promise<void> {
  while (!meter.isOver) {
    const input = await inputs.next();
    const startedAt = performance.now();
    try {
      const chunks = manager.stream(id, input, { timeoutMs })[Symbol.asyncIterator]();
      while (!meter.isOver && (await chunks.next()).done !== true) meter.chunk();
      if (meter.isOver) await chunks.return?.();
      else meter.succeeded(startedAt);
    } catch (error) {
      meter.failed(onFailure(error));
      await breath();
    }
  }
}

/** Calls that are refused at once would keep timers, and so the plugin's restart, from their turn. */
function breath(): Promise<void> {
  return setImmediate();
}
