/** How an actor in a worker thread reaches its supervisor: ports and shared memory. */
import { workerData } from 'node:worker_threads';

import { SharedWords } from '../protocol/board-words.ts';
import type { BootData } from '../protocol/messages.ts';
import { SignalBoard } from '../protocol/signal-board.ts';
import { messagePortTransport, type ThreadData } from '../transport/message-port.ts';
import { actorEnd } from '../transport/rings.ts';
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
      transport:
        told.carrier === 'port'
          ? messagePortTransport(busPort)
          : actorEnd(rings, { port: busPort }),
      control: controlPort,
      isThread: true,
    });
  });
}
