/** How an actor in a worker thread reaches its supervisor: ports and shared memory. */
import { workerData } from 'node:worker_threads';

import { SharedWords } from '../protocol/board-words.ts';
import { SignalBoard } from '../protocol/signal-board.ts';
import { messagePortTransport, type ThreadData } from '../transport/message-port.ts';
import type { Carrier } from './boot.ts';

/** The ports are ours: a plugin that looks into `workerData` finds nothing to break. */
export function threadCarrier(): Carrier {
  const data = workerData as ThreadData;
  const { boot, board, busPort, controlPort } = data;
  for (const key of Object.keys(data)) Reflect.deleteProperty(data, key);
  return {
    boot,
    board: new SignalBoard(new SharedWords(board)),
    transport: messagePortTransport(busPort),
    control: controlPort,
  };
}
