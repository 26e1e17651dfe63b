/**
 * Values to bytes and back. Every body stands alone: no state outlives it, so a decoder of any
 * generation can read it. Plain values go straight through msgpackr, all others as a table of
 * nodes (rich-table.ts). What is decoded is scanned first (scan.ts).
 */
import { Packr } from 'msgpackr/pack';

import { CodecError, isCodecError } from './codec-error.ts';
import { FLAG, HEADER_BYTES } from './frame.ts';
import { lower } from './lower.ts';
import { plainness } from './plain.ts';
import { raise } from './raise.ts';
import type { Attachment } from './rich-table.ts';
import { scan } from './scan.ts';

/** An encoded value, with room for a frame's header before it. */
export interface Payload {
  /** {@link HEADER_BYTES} free bytes, then the body. */
  readonly frame: Uint8Array;
  /** `FLAG.rich`, `FLAG.apart`, or 0. */
  readonly flags: number;
  /** Buffers that travel beside the bytes: to be moved, unless they are apart, or shared memory. */
  readonly attachments: readonly Attachment[];
}

/** Where an encoded value lies: what a frame reader points at, or a payload's own bytes. */
export interface Body {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly flags: number;
  readonly attachments: readonly unknown[];
}

/** What it took to carry a value, with the buffers beside it. */
export function carriedBytes({ start, end, attachments }: Body): number {
  let bytes = end - start;
  for (const each of attachments) if (each instanceof ArrayBuffer) bytes += each.byteLength;
  return bytes;
}

export interface PayloadLimits {
  payloadBytesMax: number;
  payloadDepthMax: number;
}

/** Nodes of a table hold slots, or an error's plain fields with a chain of causes. */
const TABLE_DEPTH_MAX = 64;
const NO_ATTACHMENTS: readonly Attachment[] = [];
/** msgpackr: leave this many bytes free before the value (its flag 2048, and the count). */
const RESERVE_HEADER = 2048 + HEADER_BYTES;
/** msgpackr keeps its buffer once grown; beyond this it gets a fresh one, or small frames would pin it (bytes). */
const PACK_BUFFER_KEPT_MAX = 256 * 1024;
const PACK_BUFFER_BYTES = 64 * 1024;

let packing = 0;
const packr = new Packr({
  useRecords: false,
  mapsAsObjects: true,
  variableMapSize: true,
  copyBuffers: true,
  useToJSON: false,
});
freshPackBuffer();

/**
 * What becomes of large buffers, which would be copied several times on their way through the
 * bytes. `copied`: the payload holds copies of them. `borrowed`: it holds them themselves, for who
 * sends it at once. Without it, and beside buffers that are moved, they lie in the bytes.
 */
export type Apart = 'copied' | 'borrowed';

/**
 * @param transfer buffers to move rather than copy; they are detached when the frame is sent.
 * @throws CodecError: `PAYLOAD_INVALID` for what can't be sent, `PAYLOAD_TOO_LARGE` beyond a limit.
 */
export function encode(
  value: unknown,
  limits: PayloadLimits,
  transfer?: readonly ArrayBuffer[],
  apart?: Apart,
): Payload {
  refuseLarge(value, limits, transfer);
  // a value may have getters, and they may throw anything
  try {
    const shape = transfer?.length ? 'rich' : plainness(value, limits.payloadDepthMax);
    if (shape === 'plain') {
      return { frame: pack(value, limits), flags: 0, attachments: NO_ATTACHMENTS };
    }
    const attachments: Attachment[] = [...(transfer ?? [])];
    const table = lower(value, limits.payloadDepthMax, {
      attachments,
      apart: transfer?.length ? undefined : apart,
    });
    const flags = transfer?.length || !attachments.some(isOwn) ? FLAG.rich : FLAG.rich | FLAG.apart;
    return { frame: pack(table, limits, bytesApart({ flags, attachments })), flags, attachments };
  } catch (error) {
    if (isCodecError(error)) throw error;
    throw new CodecError('PAYLOAD_INVALID', 'reading the value threw an error');
  }
}

/** @throws CodecError where the bytes are malformed or beyond a limit. */
export function decode(body: Body, limits: PayloadLimits): unknown {
  const { bytes, start, end } = body;
  const size = end - start + bytesApart(body);
  if (size > limits.payloadBytesMax) tooLarge(size, limits);
  const rich = (body.flags & FLAG.rich) !== 0;
  scan(bytes, start, end, rich ? TABLE_DEPTH_MAX : limits.payloadDepthMax);
  try {
    const value: unknown = packr.unpack(bytes, { start, end });
    return rich ? raise(value, body.attachments) : value;
  } catch (error) {
    if (isCodecError(error)) throw error;
    throw new CodecError('PAYLOAD_INVALID', `malformed value: ${String(error)}`);
  }
}

/** The body of a payload that was never sent, or may be sent again. */
export function bodyOf(payload: Payload): Body {
  const { frame, flags } = payload;
  const isApart = (flags & FLAG.apart) !== 0;
  const attachments = payload.attachments.map((item) =>
    isApart && isOwn(item) ? item.slice(0) : item,
  );
  return { bytes: frame, start: HEADER_BYTES, end: frame.byteLength, flags, attachments };
}

/** What the buffers beside the bytes hold, where they belong to them. */
function bytesApart({ flags, attachments }: Pick<Body, 'flags' | 'attachments'>): number {
  if ((flags & FLAG.apart) === 0) return 0;
  return attachments.reduce<number>((sum, item) => sum + (isOwn(item) ? item.byteLength : 0), 0);
}

function isOwn(attachment: unknown): attachment is ArrayBuffer {
  return attachment instanceof ArrayBuffer;
}

/**
 * A payload from a body that lies in a batch, to pass it on without decoding or copying it. It
 * relies on the header before the body, and keeps the whole batch in memory while it lives.
 */
export function forwardable(body: Body): Payload {
  const frame = body.bytes.subarray(body.start - HEADER_BYTES, body.end);
  const attachments = body.attachments.filter(
    (item) => item instanceof ArrayBuffer || item instanceof SharedArrayBuffer,
  );
  return { frame, flags: body.flags & (FLAG.rich | FLAG.apart), attachments };
}

/** A payload that is kept: it pins no batch, at most as many bytes again as are its own. */
export function keepable(payload: Payload): Payload {
  const { frame } = payload;
  if (frame.buffer.byteLength <= 2 * frame.byteLength) return payload;
  return { ...payload, frame: new Uint8Array(frame) };
}

/** @param besides what the value holds that is not packed (bytes). */
function pack(value: unknown, limits: PayloadLimits, besides = 0): Uint8Array {
  let frame: Uint8Array;
  packing++;
  try {
    frame = packr.pack(value, RESERVE_HEADER);
  } finally {
    packing--;
  }
  // a getter that encodes something itself is inside the packing of another value
  if (packing === 0 && frame.buffer.byteLength > PACK_BUFFER_KEPT_MAX) freshPackBuffer();
  const bytes = frame.byteLength - HEADER_BYTES + besides;
  if (bytes > limits.payloadBytesMax) tooLarge(bytes, limits);
  return frame;
}

function freshPackBuffer(): void {
  packr.useBuffer(Buffer.allocUnsafeSlow(PACK_BUFFER_BYTES));
}

/** Refuses what is plainly over the limit before any byte of it is copied. */
function refuseLarge(
  value: unknown,
  limits: PayloadLimits,
  transfer: readonly ArrayBuffer[] | undefined,
): void {
  if (typeof value === 'string' && value.length > limits.payloadBytesMax) {
    tooLarge(value.length, limits);
  }
  if (typeof value !== 'object' || value === null || transfer?.length) return;
  const size = ArrayBuffer.isView(value) || value instanceof ArrayBuffer ? value.byteLength : 0;
  if (size > limits.payloadBytesMax) tooLarge(size, limits);
  if (Array.isArray(value) && value.length > limits.payloadBytesMax) tooLarge(value.length, limits);
}

function tooLarge(bytes: number, limits: PayloadLimits): never {
  throw new CodecError(
    'PAYLOAD_TOO_LARGE',
    `${String(bytes)} bytes, more than limits.payloadBytesMax (${String(limits.payloadBytesMax)})`,
    { limit: 'payloadBytesMax', max: limits.payloadBytesMax, bytes },
  );
}
