/**
 * Carrier: two byte streams between two processes, one each way. It has two channels, the bus and
 * the control plane, as a thread has two ports. A message is
 *
 *   0 batch length u32 · 4 channel u16 · 6 number of buffers u16 · 8 their lengths, u32 each
 *   then the batch, then the buffers
 */
import type { Readable } from 'node:stream';

import type { Endpoint } from 'comlink';

import { decode, encode } from '../protocol/codec.ts';
import { FLAG, HEADER_BYTES } from '../protocol/frame.ts';
import { PIPE_MESSAGE_BYTES_MAX, RUNTIME_LIMITS } from '../protocol/limits.ts';
import { CHANNEL, PipeReader, type PipeMessage } from './pipe-reader.ts';
import type { Transport } from './transport.ts';

export interface PipeOptions {
  from: Readable;
  /** What has come and `from` has not told yet, without waiting; absent where that cannot be asked. */
  readNow?: (() => Buffer | undefined) | undefined;
  /** Takes all of it, at once or later, in order; the bytes are not touched again. */
  write: (parts: Uint8Array[]) => void;
  /** The bytes that come are no messages, and nothing after them can be read. */
  onBroken: (what: string) => void;
}

export interface Pipe {
  readonly bus: Transport;
  readonly control: ControlChannel;
}

export function openPipe({ from, readNow, write, onBroken }: PipeOptions): Pipe {
  let receive: Parameters<Transport['onMessage']>[0] | undefined;
  let isClosed = false;
  const control = new ControlChannel((channel, batch) => {
    write([headOf(batch.byteLength, channel, []), batch]);
  });
  const reader = new PipeReader(({ channel, batch, buffers }: PipeMessage) => {
    if (channel !== CHANNEL.bus) control.receive(batch, channel);
    else if (!isClosed) receive?.(batch, buffers);
  });
  const take = (chunk: Buffer): void => {
    try {
      reader.push(chunk);
    } catch (error) {
      from.destroy();
      onBroken(error instanceof Error ? error.message : String(error));
    }
  };
  from.on('data', take);
  const drain = readNow && {
    drain() {
      for (let chunk = readNow(); chunk; chunk = readNow()) take(chunk);
    },
  };
  return {
    control,
    bus: {
      ...drain,
      send(batch, attachments = [], moved = []) {
        if (isClosed) return;
        const buffers = attachments.map(sendable);
        refuseLarge(batch, buffers);
        const head = headOf(batch.byteLength, CHANNEL.bus, buffers);
        const bodies = buffers.map((buffer) => {
          return moved.includes(buffer) ? taken(buffer) : new Uint8Array(buffer.slice(0));
        });
        write([head, new Uint8Array(batch), ...bodies]);
      },
      onMessage(listener) {
        receive = listener;
      },
      close() {
        isClosed = true;
        receive = undefined;
      },
    },
  };
}

export type MessageListener = (event: { data: unknown }) => void;

/** What Comlink takes for a port. Its messages are plain objects. */
export class ControlChannel implements Endpoint {
  #send: (channel: number, batch: Uint8Array) => void;
  readonly #listeners = new Set<MessageListener>();

  constructor(send: (channel: number, batch: Uint8Array) => void) {
    this.#send = send;
  }

  postMessage(message: unknown): void {
    const { frame, flags } = encode(message, RUNTIME_LIMITS);
    const channel = flags === FLAG.rich ? CHANNEL.controlRich : CHANNEL.control;
    this.#send(channel, frame.slice(HEADER_BYTES));
  }

  addEventListener(_type: string, listener: MessageListener): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_type: string, listener: MessageListener): void {
    this.#listeners.delete(listener);
  }

  /** Comlink holds on to it until its proxy is collected: what it reaches must not reach the proxy. */
  close(): void {
    this.#send = () => undefined;
    this.#listeners.clear();
  }

  receive(bytes: Uint8Array, channel: number): void {
    const flags = channel === CHANNEL.controlRich ? FLAG.rich : 0;
    const body = { bytes, start: 0, end: bytes.byteLength, flags, attachments: [] };
    const event = { data: decode(body, RUNTIME_LIMITS) };
    // who listens from this message on does not hear this message
    const listeners = [...this.#listeners];
    for (const listener of listeners) listener(event);
  }
}

function headOf(batchBytes: number, channel: number, buffers: readonly ArrayBuffer[]): Uint8Array {
  const head = new DataView(new ArrayBuffer(8 + 4 * buffers.length));
  head.setUint32(0, batchBytes, true);
  head.setUint16(4, channel, true);
  head.setUint16(6, buffers.length, true);
  for (const [at, { byteLength }] of buffers.entries())
    head.setUint32(8 + 4 * at, byteLength, true);
  return new Uint8Array(head.buffer);
}

function sendable(attachment: ArrayBuffer | SharedArrayBuffer): ArrayBuffer {
  if (attachment instanceof ArrayBuffer) return attachment;
  throw new TypeError("shared memory does not reach a plugin with isolation 'process'");
}

function refuseLarge(batch: Uint8Array, buffers: readonly ArrayBuffer[]): void {
  const bytes = buffers.reduce((sum, { byteLength }) => sum + byteLength, batch.byteLength);
  if (bytes <= PIPE_MESSAGE_BYTES_MAX && buffers.length <= 0xff_ff) return;
  throw new RangeError(`${String(bytes)} bytes in one message are too many for a pipe`);
}

/** As over a port: who moves a buffer has it no longer. */
function taken(buffer: ArrayBuffer): Uint8Array {
  return new Uint8Array(structuredClone(buffer, { transfer: [buffer] }));
}
