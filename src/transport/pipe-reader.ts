/** Cuts a stream of bytes into the messages of a pipe (pipe.ts), however it was chunked. */
import { PIPE_MESSAGE_BYTES_MAX } from '../protocol/limits.ts';

export const CHANNEL = { bus: 0, control: 1, controlRich: 2 } as const;

export interface PipeMessage {
  channel: number;
  /** Valid as long as it is held; it may pin the chunk it came in. */
  batch: Buffer;
  buffers: ArrayBuffer[];
}

const HEAD_BYTES = 8;
const LENGTH_BYTES = 4;

export class PipeReader {
  readonly #deliver: (message: PipeMessage) => void;
  #chunks: Buffer[] = [];
  #held = 0;
  /** Nothing can be read before there are so many bytes. */
  #wanted = HEAD_BYTES;

  constructor(deliver: (message: PipeMessage) => void) {
    this.#deliver = deliver;
  }

  /** @throws RangeError for what can be no message. */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#held += chunk.byteLength;
    if (this.#held < this.#wanted) return;
    // joined once for each message that spans chunks, not once for each chunk
    let bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#held);
    this.#wanted = HEAD_BYTES;
    for (;;) {
      const length = messageBytes(bytes);
      if (length > bytes.byteLength) {
        this.#wanted = length;
        break;
      }
      const message = bytes.subarray(0, length);
      bytes = bytes.subarray(length);
      this.#deliver(read(message));
    }
    this.#chunks = bytes.byteLength === 0 ? [] : [bytes];
    this.#held = bytes.byteLength;
  }
}

/** Length of the message at the front, or of as much of it as says how long it is. */
function messageBytes(bytes: Buffer): number {
  if (bytes.byteLength < HEAD_BYTES) return HEAD_BYTES;
  const batchBytes = refuseLarge(bytes.readUInt32LE(0));
  // what others write here is found out at once, not after the length it seems to have
  const channel = bytes.readUInt16LE(4);
  if (channel > CHANNEL.controlRich) throw new RangeError(`channel ${String(channel)}`);
  const count = bytes.readUInt16LE(6);
  const headBytes = HEAD_BYTES + count * LENGTH_BYTES;
  if (bytes.byteLength < headBytes) return headBytes;
  let length = batchBytes;
  for (let at = HEAD_BYTES; at < headBytes; at += LENGTH_BYTES) length += bytes.readUInt32LE(at);
  return headBytes + refuseLarge(length);
}

function refuseLarge(length: number): number {
  if (length <= PIPE_MESSAGE_BYTES_MAX) return length;
  throw new RangeError(`a message of ${String(length)} bytes`);
}

function read(message: Buffer): PipeMessage {
  const count = message.readUInt16LE(6);
  let at = HEAD_BYTES + count * LENGTH_BYTES;
  const take = (bytes: number): Buffer => message.subarray(at, (at += bytes));
  const batch = take(message.readUInt32LE(0));
  const buffers = Array.from({ length: count }, (_, index) => {
    const part = take(message.readUInt32LE(HEAD_BYTES + index * LENGTH_BYTES));
    return new Uint8Array(part).buffer;
  });
  return { channel: message.readUInt16LE(4), batch, buffers };
}
