/** Carrier for tests: two ends in one thread. Every batch arrives in a microtask of its own. */
import type { Transport } from './transport.ts';

type Listener = (batch: Uint8Array, attachments: readonly unknown[]) => void;

export function loopback(): [Transport, Transport] {
  const left = end();
  const right = end();
  return [left.transport(right), right.transport(left)];
}

function end() {
  let listener: Listener | undefined;
  let closed = false;
  const arrived: (() => void)[] = [];
  const drain = (): void => {
    for (let next = arrived.shift(); next; next = arrived.shift()) next();
  };
  const self = {
    receive(batch: Uint8Array, attachments: readonly unknown[]): void {
      if (closed) return;
      arrived.push(() => listener?.(batch, attachments));
      queueMicrotask(drain);
    },
    transport(peer: { receive: Listener }): Transport {
      return {
        send(batch, attachments = [], moved = []) {
          if (closed) return;
          const arriving = structuredClone([...attachments], { transfer: [...moved] });
          peer.receive(new Uint8Array(batch), arriving);
        },
        onMessage(receive) {
          listener = receive;
        },
        close() {
          drain();
          closed = true;
          listener = undefined;
        },
      };
    },
  };
  return self;
}
