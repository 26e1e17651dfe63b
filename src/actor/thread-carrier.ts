/** How an actor in a worker thread reaches its supervisor: ports and shared memory. */
import { workerData, type MessagePort } from 'node:worker_threads';

import { SharedWords } from '../protocol/board-words.ts';
import type { BootData } from '../protocol/messages.ts';
import { SignalBoard } from '../protocol/signal-board.ts';
import { messagePortTransport } from '../transport/message-port.ts';
import { actorEnd, type Rings } from '../transport/rings.ts';
import type { ThreadData } from '../transport/thread-data.ts';
import type { Transport } from '../transport/transport.ts';
import type { Carrier } from './boot.ts';

/**
 * The ports are ours: a plugin that looks into `workerData` finds nothing to break.
 *
 * @param boot called once it is known which plugin this is.
 */
export function whenAssigned(boot: (carrier: Carrier) => void): void {
  const data = workerData as ThreadData;
  const { board, busPort, controlPort, rings } = data;
  for (const key of Object.keys(data)) Reflect.deleteProperty(data, key);
  controlPort.once('message', (told: BootData) => {
    boot({
      boot: told,
      board: new SignalBoard(new SharedWords(board)),
      transport: transportOf(told, rings, busPort),
      control: controlPort,
      isThread: true,
    });
  });
}

export function transportOf({ carrier }: BootData, rings: Rings, port: MessagePort): Transport {
  return carrier === 'port' ? messagePortTransport(port) : actorEnd(rings, { port });
}
