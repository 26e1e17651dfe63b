/**
 * Carrier: a MessagePort between two threads. Batches are copied, not moved: once any ArrayBuffer
 * was detached in a thread, V8 checks every access to every typed array there, and the plugin's
 * own loops become slower by half. Only buffers that the user wants moved are.
 */
import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';

import { BATCH_DELAY_MS } from '../protocol/limits.ts';
import type { Transport } from './transport.ts';

type Listener = (batch: Uint8Array, attachments: readonly unknown[]) => void;

/** A transport whose owner can also ask for what arrived and was not delivered yet. */
export interface MessagePortTransport extends Transport {
  /** Delivers it now, not in a later turn of the event loop. */
  drain(): void;
}

/** @param onBroken told when a message could not be deserialised: that message is lost. */
export function messagePortTransport(
  port: MessagePort,
  onBroken?: () => void,
): MessagePortTransport {
  let listener: Listener | undefined;
  let closed = false;

  const deliver = (message: unknown): void => {
    if (message instanceof Uint8Array) listener?.(asBuffer(message), []);
    else if (Array.isArray(message) && message[0] instanceof Uint8Array) {
      listener?.(asBuffer(message[0]), message.slice(1));
    } else onBroken?.();
  };
  /** Read from the port, and left for the next turn of the event loop. */
  const held: unknown[] = [];
  let isHolding = false;
  let turnSince: number | undefined;
  const release = (): void => {
    isHolding = false;
    while (held.length > 0) deliver(held.shift());
  };
  const turn = (): void => {
    turnSince = undefined;
    release();
  };
  const drain = (): void => {
    release();
    for (let left = receiveMessageOnPort(port); left; left = receiveMessageOnPort(port)) {
      deliver(left.message);
    }
  };
  port.on('message', (message: unknown) => {
    if (isHolding) held.push(message);
    else deliver(message);
  });
  port.on('messageerror', () => onBroken?.());

  return {
    send(batch, attachments, moved) {
      if (closed) return;
      // all of the buffer that it lies in is copied with it
      const alone = new Uint8Array(batch);
      if (!attachments?.length) port.postMessage(alone);
      else port.postMessage([alone, ...attachments], moved);
    },
    onMessage(receive) {
      listener = receive;
    },
    giveWay() {
      const now = performance.now();
      if (turnSince === undefined) {
        turnSince = now;
        nextTurn(turn);
      }
      // each message has its microtasks, but Node reads a thousand and more before a timer can fire
      if (now - turnSince > BATCH_DELAY_MS) isHolding = true;
    },
    drain,
    close() {
      if (closed) return;
      drain();
      closed = true;
      listener = undefined;
      port.close();
    },
  };
}

// as it is now: a test, or a plugin in its thread, may replace it
const nextTurn = setImmediate;

/** msgpackr reads short strings from a Buffer faster than from a bare Uint8Array. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
