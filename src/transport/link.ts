/**
 * A typed conversation over a transport: frames out in batches, frames in matched to the call
 * they answer. The same class serves both sides; each may ask and answer. Closing it hands back
 * every exchange that is still open, so nothing pending is ever forgotten.
 */
import type { Payload } from '../protocol/codec.ts';
import { FrameReader, KERNEL_ROUTE, KIND, type Header, type Kind } from '../protocol/frame.ts';
import { toWireError } from '../protocol/wire-error.ts';
import { Outbox } from './outbox.ts';
import type { Transport } from './transport.ts';

/** The asking side of one call. `frame` is valid during the call only. */
export interface Exchange {
  /** result, failure, chunk, end, skipped or progress; it came at this performance.now(). */
  onReply(frame: FrameReader, arrivedAt: number): void;
}

export interface LinkOptions {
  transport: Transport;
  generation: number;
  /** Calls that may be open at once. */
  slots: number;
  /** Every frame that answers no call of ours: calls, cancels, credit, logs. */
  onFrame: (frame: FrameReader) => void;
  /** Bytes that are no frames, or a frame whose handling failed: one message is lost. */
  onMalformed: (what: string) => void;
  /** A first frame waits to be sent: see that {@link Link.flush} is called. */
  onPending: () => void;
}

/** Where to answer a call. */
export interface ReturnAddress {
  slot: number;
  number: number;
}

export interface CallHeader {
  route: number;
  flags: number;
  /** Time left (ms), 0 = none. */
  timeoutMs: number;
  /** The call on whose behalf this one is made; 0 = none. */
  parent: number;
}

export class Link {
  /** Replies to a call that is gone, or of an earlier life. */
  lateReplies = 0;
  readonly #outbox: Outbox;
  readonly #transport: Transport;
  readonly #generation: number;
  readonly #onFrame: (frame: FrameReader) => void;
  readonly #onMalformed: (what: string) => void;
  readonly #exchanges: (Exchange | undefined)[] = [];
  readonly #numbers: number[] = [];
  readonly #free: number[] = [];
  readonly #slotsMax: number;
  #lastNumber = 0;
  #open = 0;
  #closed = false;
  /** What is being delivered has chunks of streams. */
  #hasChunks = false;
  readonly #header: Header;

  constructor(options: LinkOptions) {
    this.#transport = options.transport;
    this.#generation = options.generation;
    this.#slotsMax = options.slots;
    this.#onFrame = options.onFrame;
    this.#onMalformed = options.onMalformed;
    this.#outbox = new Outbox(options.transport, options.onPending);
    this.#header = {
      kind: KIND.call,
      flags: 0,
      slot: 0,
      generation: options.generation,
      number: 0,
      route: KERNEL_ROUTE,
      detail: 0,
      parent: 0,
    };
    options.transport.onMessage((bytes, attachments) => {
      this.#receive(new FrameReader(bytes, attachments));
    });
  }

  get openCalls(): number {
    return this.#open;
  }

  get hasRoom(): boolean {
    return this.#open < this.#slotsMax;
  }

  /**
   * Sends a call; its replies go to `exchange`. The caller sees to it that there is room.
   * Throws what the transport throws for a buffer that cannot be moved; then nothing is open.
   *
   * @param number where several links number their calls together: later than all before.
   */
  call(
    exchange: Exchange,
    header: CallHeader,
    payload: Payload,
    number: number = numberAfter(this.#lastNumber),
  ): ReturnAddress {
    const slot = this.#free.pop() ?? this.#exchanges.length;
    this.#lastNumber = number;
    this.#exchanges[slot] = exchange;
    this.#numbers[slot] = number;
    this.#open++;
    const { flags, route, timeoutMs, parent } = header;
    try {
      this.#write(
        KIND.call,
        { slot, number },
        flags | payload.flags,
        route,
        timeoutMs,
        parent,
        payload,
      );
    } catch (error) {
      this.#release(slot);
      throw error;
    }
    return { slot, number };
  }

  /** Answers a call, or tells something about one. */
  reply(kind: Kind, to: ReturnAddress, payload?: Payload, flags = 0): void {
    this.#write(kind, to, flags | (payload?.flags ?? 0), KERNEL_ROUTE, 0, 0, payload);
  }

  /** A frame about a call that carries a number instead of a value: cancel, credit. */
  signal(kind: Kind, to: ReturnAddress, detail: number): void {
    this.#write(kind, to, 0, KERNEL_ROUTE, detail, 0);
  }

  /** A frame about no call: bind, log, crash, exit, parked, awake. */
  tell(kind: Kind, detail: number, payload?: Payload, route: number = KERNEL_ROUTE): void {
    this.#write(kind, NOWHERE, payload?.flags ?? 0, route, detail, 0, payload);
  }

  flush(): void {
    if (!this.#closed) this.#outbox.flush();
  }

  get hasPending(): boolean {
    return !this.#outbox.isEmpty;
  }

  /** The replies of an open call go elsewhere from now on. */
  replace({ slot, number }: ReturnAddress, exchange: Exchange): void {
    if (this.#exchanges[slot] && this.#numbers[slot] === number) this.#exchanges[slot] = exchange;
  }

  /** The open call of this number. */
  exchangeOf(number: number): Exchange | undefined {
    return this.#exchanges[this.#numbers.lastIndexOf(number)];
  }

  /** The calls of ours that are open, in no order. */
  *exchanges(): Iterable<Exchange> {
    for (const exchange of this.#exchanges) if (exchange) yield exchange;
  }

  /** What has arrived is delivered first; then the exchanges left open come back, oldest first. */
  close(): { exchange: Exchange; address: ReturnAddress }[] {
    if (this.#closed) return [];
    this.#transport.close();
    this.#closed = true;
    const left = this.#exchanges.flatMap((exchange, slot) =>
      exchange ? [{ exchange, address: { slot, number: this.#numbers[slot] ?? 0 } }] : [],
    );
    this.#exchanges.length = 0;
    this.#open = 0;
    return left.sort((a, b) => (a.address.number - b.address.number) | 0);
  }

  #write(
    kind: Kind,
    to: ReturnAddress,
    flags: number,
    route: number,
    detail: number,
    parent: number,
    payload?: Payload,
  ): void {
    if (this.#closed) return;
    const header = this.#header;
    header.kind = kind;
    header.flags = flags;
    header.slot = to.slot;
    header.number = to.number;
    header.route = route;
    header.detail = detail;
    header.parent = parent;
    this.#outbox.write(header, payload);
  }

  #receive(frame: FrameReader): void {
    const arrivedAt = performance.now();
    for (;;) {
      const more = frame.next();
      if (more === undefined) this.#onMalformed('bytes that are no frame');
      if (!more || this.#closed) break;
      if (frame.generation !== this.#generation) {
        this.lateReplies++;
        continue;
      }
      try {
        if (isReply(frame.kind)) this.#settle(frame, arrivedAt);
        else this.#onFrame(frame);
      } catch (error) {
        this.#onMalformed(toWireError(error).message);
      }
    }
    if (!this.#hasChunks) return;
    this.#hasChunks = false;
    // who reads them gives credit for more: else it and the producer would wait for each other in turns
    this.#transport.giveWay?.();
  }

  #release(slot: number): void {
    this.#exchanges[slot] = undefined;
    this.#free.push(slot);
    this.#open--;
  }

  #settle(frame: FrameReader, arrivedAt: number): void {
    const { slot } = frame;
    const exchange = this.#exchanges[slot];
    if (!exchange || this.#numbers[slot] !== frame.number) {
      this.lateReplies++;
      return;
    }
    if (frame.kind === KIND.chunk) this.#hasChunks = true;
    else if (frame.kind !== KIND.progress) this.#release(slot);
    exchange.onReply(frame, arrivedAt);
  }
}

/** Numbers wrap at 32 bits; 0 is none. */
export function numberAfter(last: number): number {
  return (last + 1) | 0 || 1;
}

const NOWHERE: ReturnAddress = { slot: 0, number: 0 };

function isReply(kind: Kind): boolean {
  return (kind >= KIND.result && kind <= KIND.skipped) || kind === KIND.progress;
}
