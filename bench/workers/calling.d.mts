import type { MessagePort, Worker } from 'node:worker_threads';

export interface Calls {
  count: number;
  inFlight: number;
}

export function microsecondsPerCall(
  call: (input: unknown) => Promise<unknown>,
  calls: Calls,
): Promise<number>;

export function callerOver(port: MessagePort | Worker): (input: unknown) => Promise<unknown>;
