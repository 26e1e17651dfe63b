/**
 * How an actor in a thread of a pool reaches its supervisor. Piscina makes the thread and tells it
 * nothing of its own, so the thread makes its ports and rings itself and introduces itself with them.
 */
import { MessageChannel, parentPort, threadId, workerData } from 'node:worker_threads';

import { SharedWords } from '../protocol/board-words.ts';
import { WINDOW_CALLS } from '../protocol/limits.ts';
import type { BootData } from '../protocol/messages.ts';
import { boardBytes, SignalBoard } from '../protocol/signal-board.ts';
import { createRings, type Looking } from '../transport/rings.ts';
import type { Introduction, Lease } from '../transport/thread-data.ts';
import type { Carrier } from './boot.ts';
import { transportOf } from './thread-carrier.ts';

/**
 * @param boot called once it is known which plugin this is.
 * @returns Piscina's task: it lasts until main says that the lease is over.
 */
export function whenAssigned(boot: (carrier: Carrier) => void): (lease: Lease) => Promise<void> {
  const bus = new MessageChannel();
  const control = new MessageChannel();
  const leases = new MessageChannel();
  const board = new SharedArrayBuffer(boardBytes(WINDOW_CALLS));
  const data = workerData as Looking;
  const rings = createRings(data);
  for (const key of Object.keys(data)) Reflect.deleteProperty(data, key);
  control.port2.once('message', (told: BootData) => {
    boot({
      boot: told,
      board: new SignalBoard(new SharedWords(board)),
      transport: transportOf(told, rings, bus.port2),
      control: control.port2,
      isThread: true,
    });
  });
  const ports = { bus: bus.port1, control: control.port1, leases: leases.port1 };
  const { toActor, fromActor } = rings;
  const introduction: Introduction = { threadId, board, rings: { toActor, fromActor }, ...ports };
  parentPort?.postMessage(introduction, Object.values(ports));

  const open = new Map<number, () => void>();
  // the word that a lease is over can be here before the lease
  const over = new Set<number>();
  leases.port2.on('message', (number: number) => {
    const end = open.get(number);
    if (end) end();
    else over.add(number);
    open.delete(number);
  });
  return ({ number }) =>
    new Promise((resolve) => {
      if (over.delete(number)) resolve();
      else open.set(number, resolve);
    });
}
