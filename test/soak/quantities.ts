/** What is looked at while plugins are restarted: what a program would run out of one day. */
import { EventEmitter } from 'node:events';
import process from 'node:process';
import v8 from 'node:v8';
import { MessagePort, Worker } from 'node:worker_threads';

import type { PluginManager } from 'troupe';

import { holdings } from '../support/holdings.ts';

export interface Quantity {
  name: string;
  title: string;
  unit: '' | 'MiB';
  /** Growth over the second half that is noise: an absolute figure, or a share of the value. */
  room: { absolute: number; share?: number };
}

/** Counts may differ by what is just under way; memory by what the collector and malloc keep. */
export const QUANTITIES = [
  { name: 'descriptors', title: 'open descriptors', unit: '', room: { absolute: 1 } },
  { name: 'threads', title: 'threads, Node’s own included', unit: '', room: { absolute: 1 } },
  { name: 'children', title: 'child processes', unit: '', room: { absolute: 0.5 } },
  { name: 'listeners', title: 'listeners on process', unit: '', room: { absolute: 0.5 } },
  { name: 'timers', title: 'active timers', unit: '', room: { absolute: 1 } },
  { name: 'handles', title: 'other active handles', unit: '', room: { absolute: 2 } },
  { name: 'ports', title: 'Worker and MessagePort objects', unit: '', room: { absolute: 1 } },
  { name: 'maps', title: 'Map objects', unit: '', room: { absolute: 5 } },
  { name: 'sets', title: 'Set objects', unit: '', room: { absolute: 5 } },
  {
    name: 'emitters',
    title: 'event emitters and targets',
    unit: '',
    room: { absolute: 5 },
  },
  { name: 'promises', title: 'Promise objects', unit: '', room: { absolute: 10 } },
  {
    name: 'kept',
    title: 'plugins, calls, zombies, keys',
    unit: '',
    room: { absolute: 0.5 },
  },
  { name: 'heap', title: 'heap used', unit: 'MiB', room: { absolute: 0.5, share: 0.02 } },
  { name: 'external', title: 'buffers', unit: 'MiB', room: { absolute: 0.5, share: 0.02 } },
  { name: 'rss', title: 'resident memory', unit: 'MiB', room: { absolute: 4, share: 0.04 } },
] as const satisfies readonly Quantity[];

export type QuantityName = (typeof QUANTITIES)[number]['name'];
export type Values = Record<QuantityName, number>;

/** After the garbage was collected. */
export async function measure(manager: PluginManager): Promise<Values> {
  const { descriptors, threads, children, listeners, resources } = holdings();
  const { Timeout: timers = 0, Immediate: _, ...others } = resources;
  const { heapUsed, external, rss } = process.memoryUsage();
  return {
    descriptors,
    threads,
    children,
    listeners,
    timers,
    handles: Object.values(others).reduce((sum, count) => sum + count, 0),
    ports: living(Worker) + living(MessagePort),
    maps: living(Map),
    sets: living(Set),
    emitters: living(EventEmitter) + living(EventTarget),
    promises: living(Promise),
    kept: await keptBy(manager),
    heap: mib(heapUsed),
    external: mib(external),
    rss: mib(rss),
  };
}

/** What the manager itself says that it keeps. */
async function keptBy(manager: PluginManager): Promise<number> {
  const stats = [...(await manager.statsAll()).values()];
  const open = stats.reduce(
    (sum, { calls, zombies }) => sum + calls.inFlight + calls.queued + zombies,
    0,
  );
  const keys = await manager.context.state.keys();
  return open + keys.length + manager.listPlugins().length;
}

type Constructor = abstract new (...args: never[]) => unknown;

/** How many objects of a class are on the heap; 0 where Node cannot say (before 20.13). */
function living(of: Constructor): number {
  const { queryObjects } = v8 as { queryObjects?: (of: Constructor) => number };
  return queryObjects?.(of) ?? 0;
}

function mib(bytes: number): number {
  return Math.round((bytes / 2 ** 20) * 100) / 100;
}
