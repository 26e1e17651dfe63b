/** Kernel events of one manager, kept in order from the moment of asking. */
import type { KernelEvent, KernelEventType, PluginManager } from 'troupe';

import { soon } from './soon.ts';

export function recordEvents(manager: PluginManager): KernelEvent[] {
  const events: KernelEvent[] = [];
  manager.on('*', (event) => events.push(event));
  return events;
}

/** `unloaded → loading`, … of one plugin, as they are told from now on. */
export function recordStates(manager: PluginManager, id: string): string[] {
  const changes: string[] = [];
  manager.on('state-changed', (event) => {
    if (event.id === id) changes.push(`${event.from} → ${event.to}`);
  });
  return changes;
}

export function eventsOf<T extends KernelEventType>(
  events: readonly KernelEvent[],
  type: T,
): KernelEvent<T>[] {
  return events.filter((event) => event.type === type) as KernelEvent<T>[];
}

/** The next event of that type; ask before doing what brings it about. */
export function nextEvent<T extends KernelEventType>(
  manager: PluginManager,
  type: T,
  matches: (event: KernelEvent<T>) => boolean = () => true,
): Promise<KernelEvent<T>> {
  const event = new Promise<KernelEvent<T>>((resolve) => {
    const stop = manager.on<T>(type, (found) => {
      if (!matches(found)) return;
      stop();
      resolve(found);
    });
  });
  return soon(event);
}
