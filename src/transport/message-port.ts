/**
 * Carrier: a MessagePort between two threads. Batches are copied, not moved: once any ArrayBuffer
 * was detached in a thread, V8 checks every access to every typed array there, and the plugin's
 * own loops become slower by half. Only buffers that the user wants moved are.
 */
import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';

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
  const drain = (): void => {
    for (let left = receiveMessageOnPort(port); left; left = receiveMessageOnPort(port)) {
      deliver(left.message);
    }
  };
  port.on('message', deliver);
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

/** msgpackr reads short strings from a Buffer faster than from a bare Uint8Array. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
