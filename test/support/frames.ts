/** Frames and batches of them, made by hand and read back as plain objects. */
import { bodyOf, decode, encode, type Payload } from '../../src/protocol/codec.ts';
import {
  FrameReader,
  HEADER_BYTES,
  KIND,
  writeHeader,
  type Header,
} from '../../src/protocol/frame.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { LIMITS } from './codec.ts';

export interface ReadFrame extends Header {
  value: unknown;
}

export function headerOf(fields: Partial<Header> = {}): Header {
  return {
    kind: KIND.call,
    flags: 0,
    slot: 0,
    generation: 1,
    number: 1,
    route: 0,
    detail: 0,
    parent: 0,
    ...fields,
  };
}

export function payloadOf(value: unknown, transfer?: ArrayBuffer[]): Payload {
  return encode(value, LIMITS, transfer);
}

/** The bytes of one frame; without a value its body is empty. */
export function frameBytes(fields: Partial<Header>, value?: unknown): Uint8Array<ArrayBuffer> {
  const payload = value === undefined ? undefined : payloadOf(value);
  const bytes = new Uint8Array(payload?.frame ?? new Uint8Array(HEADER_BYTES));
  const header = headerOf({ ...fields, flags: (fields.flags ?? 0) | (payload?.flags ?? 0) });
  writeHeader(new DataView(bytes.buffer), 0, bytes.byteLength - HEADER_BYTES, header);
  return bytes;
}

export function batchOf(...frames: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(frames));
}

/** What a reader points at now. */
export function frameOf(reader: FrameReader): ReadFrame {
  const { kind, flags, slot, generation, number, route, detail, parent } = reader;
  const value = reader.start === reader.end ? undefined : decode(reader, LIMITS);
  return { kind, flags, slot, generation, number, route, detail, parent, value };
}

/** Every frame of a batch; the last is `undefined` where the rest is no frame. */
export function framesOf(
  batch: Uint8Array,
  attachments: readonly unknown[] = [],
): (ReadFrame | undefined)[] {
  const reader = new FrameReader(batch, attachments);
  const frames: (ReadFrame | undefined)[] = [];
  for (let more = reader.next(); more !== false; more = reader.next()) {
    if (more === undefined) return [...frames, undefined];
    frames.push(frameOf(reader));
  }
  return frames;
}

export function valueOf(payload: Payload): unknown {
  return decode(bodyOf(payload), LIMITS);
}

/** A transport that keeps what is sent, and lets a test say what arrives. */
export class FakeTransport implements Transport {
  readonly sent: { frames: (ReadFrame | undefined)[]; bytes: number; attachments: unknown[] }[] =
    [];
  closed = false;
  /** Thrown by the next `send`. */
  failure: Error | undefined;
  #listener: ((batch: Uint8Array, attachments: readonly unknown[]) => void) | undefined;

  send(batch: Uint8Array, attachments: readonly unknown[] = []): void {
    const { failure } = this;
    this.failure = undefined;
    if (failure) throw failure;
    this.sent.push({
      frames: framesOf(batch, attachments),
      bytes: batch.byteLength,
      attachments: [...attachments],
    });
  }

  onMessage(listener: (batch: Uint8Array, attachments: readonly unknown[]) => void): void {
    this.#listener = listener;
  }

  close(): void {
    this.closed = true;
  }

  arrive(batch: Uint8Array, attachments: readonly unknown[] = []): void {
    this.#listener?.(batch, attachments);
  }
}
