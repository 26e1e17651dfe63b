/** What a thread and who supervises it need of each other before the first message. */
import { MessagePort } from 'node:worker_threads';

import type { CodeCells, ThreadFile } from '../protocol/code-cells.ts';
import { WINDOW_CALLS } from '../protocol/limits.ts';
import { boardBytes } from '../protocol/signal-board.ts';
import { isRingMemory, type RingMemory, type Rings } from './rings.ts';

/** What a thread is created with, as its `workerData`. */
export interface ThreadData {
  /** The memory of its signal board. */
  board: SharedArrayBuffer;
  busPort: MessagePort;
  rings: Rings;
  /** The compiled forms of what it runs, by file. */
  code: Record<ThreadFile, CodeCells>;
  /** Its first message is the boot data. */
  controlPort: MessagePort;
}

/** What a thread of a pool says first: how to reach it. */
export interface Introduction {
  threadId: number;
  /** The memory of its signal board. */
  board: SharedArrayBuffer;
  /** It made them itself: nobody else knows that it is there. */
  rings: RingMemory;
  bus: MessagePort;
  control: MessagePort;
  /** Takes the numbers of leases that are over. */
  leases: MessagePort;
}

/** A task of a pool's thread: to be there for calls. */
export interface Lease {
  number: number;
}

export function isIntroduction(value: unknown): value is Introduction {
  return (
    typeof value === 'object' &&
    value !== null &&
    'threadId' in value &&
    'board' in value &&
    value.board instanceof SharedArrayBuffer &&
    value.board.byteLength === boardBytes(WINDOW_CALLS) &&
    'rings' in value &&
    isRingMemory(value.rings) &&
    ['bus', 'control', 'leases'].every((name) => {
      return (value as Record<string, unknown>)[name] instanceof MessagePort;
    })
  );
}
