import type { Payload } from '../protocol/codec.ts';
/**
 * Frames on their way out. What is written in one turn of the event loop leaves as one batch;
 * who owns the outbox says when the turn ends (`onPending`). A frame that fills a batch by
 * itself, or carries attachments, travels alone, in its place in the order.
 */
import { FLAG, HEADER_BYTES, writeHeader, type Header } from '../protocol/frame.ts';
import { BATCH_BYTES, BATCH_FRAMES_MAX } from '../protocol/limits.ts';
import type { Transport } from './transport.ts';

export class Outbox {
  readonly #transport: Transport;
  readonly #onPending: () => void;
  readonly #batch = Buffer.allocUnsafeSlow(BATCH_BYTES);
  readonly #view = new DataView(this.#batch.buffer);
  #length = 0;
  #frames = 0;

  /** @param onPending called when the first frame of a batch is written. */
  constructor(transport: Transport, onPending: () => void) {
    this.#transport = transport;
    this.#onPending = onPending;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  write(header: Header, payload?: Payload): void {
    const bodyBytes = payload === undefined ? 0 : payload.frame.byteLength - HEADER_BYTES;
    const frameBytes = HEADER_BYTES + bodyBytes;
    if (payload && (frameBytes > BATCH_BYTES || payload.attachments.length > 0)) {
      this.#alone(header, payload, bodyBytes);
      return;
    }
    if (this.#length + frameBytes > BATCH_BYTES) this.flush();
    const at = this.#length;
    if (payload) this.#batch.set(payload.frame, at);
    writeHeader(this.#view, at, bodyBytes, header);
    this.#length = at + frameBytes;
    this.#frames++;
    if (this.#frames === BATCH_FRAMES_MAX || this.#transport.isHungry === true) this.flush();
    else if (at === 0) this.#onPending();
  }

  flush(): void {
    if (this.#length === 0) return;
    const batch = this.#batch.subarray(0, this.#length);
    this.#length = 0;
    this.#frames = 0;
    this.#transport.send(batch);
  }

  #alone(header: Header, payload: Payload, bodyBytes: number): void {
    this.flush();
    const { frame, flags, attachments } = payload;
    const isMoved = (flags & FLAG.apart) === 0;
    const moved = isMoved ? attachments.filter((item) => item instanceof ArrayBuffer) : [];
    const view = new DataView(frame.buffer, frame.byteOffset, HEADER_BYTES);
    writeHeader(view, 0, bodyBytes, header);
    this.#transport.send(frame, attachments, moved);
  }
}
