/**
 * Carrier: two rings in shared memory, one each way, and a port. What fits goes through a ring;
 * what does not, or carries buffers, goes over the port. Both have one row of numbers, so all of
 * it is delivered in the order it was sent. Over the port goes also the bell that wakes a reader.
 */
import process from 'node:process';
import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';

import { isLater } from '../protocol/frame.ts';
import { BATCH_DELAY_MS } from '../protocol/limits.ts';
import { asBuffer, type MessagePortTransport } from './message-port.ts';
import { Poller } from './poller.ts';
import type { PollingSeat } from './polling-cores.ts';
import { RingReader, RingWriter } from './ring.ts';

type Listener = (batch: Uint8Array, attachments: readonly unknown[]) => void;

export interface RingPortOptions {
  port: MessagePort;
  /** The ring that this side writes, and the one that it reads. */
  outward: SharedArrayBuffer;
  inward: SharedArrayBuffer;
  /** Among the threads that may look instead of sleeping. */
  seat: PollingSeat;
  /** The other side's, where this side outlives it: then it is given back for it. */
  otherSeat?: PollingSeat;
  /** A message is lost, or the other side writes what is none. */
  onBroken?: () => void;
}

const BELL = 0;
/** What is larger than this share of the ring goes over the port. */
const SHARE = 1 / 8;

/** A message that came over the port, before its turn or at it. */
interface Carried {
  number: number;
  batch: Buffer;
  attachments: unknown[];
}

export class RingPort implements MessagePortTransport {
  readonly #port: MessagePort;
  readonly #writer: RingWriter;
  readonly #reader: RingReader;
  readonly #poller: Poller;
  readonly #onBroken: () => void;
  readonly #batchBytesMax: number;
  readonly #carried: Carried[] = [];
  #listener: Listener | undefined;
  #sent = 0;
  /** The number of the message whose turn it is. */
  #next = 0;
  #isDelivering = false;
  /** Between two batches: what the first one resolved takes its turn. */
  #givesWay = false;
  /** When it first gave way in this turn of the event loop, if it did. */
  #turnSince: number | undefined;
  #isClosed = false;
  /** Bytes that no writer wrote: nothing more is read. */
  #isDeaf = false;
  readonly #otherSeat: PollingSeat | undefined;

  constructor({ port, outward, inward, seat, otherSeat, onBroken }: RingPortOptions) {
    this.#port = port;
    this.#writer = new RingWriter(outward);
    this.#reader = new RingReader(inward);
    this.#batchBytesMax = outward.byteLength * SHARE;
    this.#onBroken = onBroken ?? (() => undefined);
    this.#otherSeat = otherSeat;
    const polled = {
      poll: () => {
        this.#turnSince = undefined;
        this.#poll();
      },
      sleep: () => this.#isClosed || this.#isDeaf || this.#reader.sleep(),
      wake: () => {
        this.#reader.wake();
      },
    };
    this.#poller = new Poller(polled, seat);
    port.on('message', (message: unknown) => {
      this.#hear(message);
      this.#turnSince = undefined;
      this.#goOn();
    });
    port.on('messageerror', this.#onBroken);
    this.#poller.settle();
  }

  get isHungry(): boolean {
    return this.#writer.isHungry;
  }

  send(
    batch: Uint8Array,
    attachments: readonly (ArrayBuffer | SharedArrayBuffer)[] = [],
    moved: readonly ArrayBuffer[] = [],
  ): void {
    if (this.#isClosed) return;
    const fits = attachments.length === 0 && batch.byteLength <= this.#batchBytesMax;
    if (fits && this.#writer.write(batch, this.#sent)) {
      if (this.#writer.mustWake()) this.#port.postMessage(BELL);
    } else {
      // all of the buffer that it lies in is copied with it
      this.#port.postMessage([this.#sent, new Uint8Array(batch), ...attachments], moved);
    }
    this.#sent = (this.#sent + 1) >>> 0;
    this.#poller.expect();
  }

  onMessage(listener: Listener): void {
    this.#listener = listener;
  }

  giveWay(): void {
    if (this.#givesWay || this.#isClosed) return;
    this.#givesWay = true;
    this.#turnSince ??= performance.now();
    void THIS_TURN.then(this.#comeBack);
  }

  drain(): void {
    this.#pull();
    do {
      this.#givesWay = false;
      this.#poll();
    } while (this.#givesWay);
    // the bell that it was woken by may be among what was pulled: it is to be woken again
    if (!this.#isClosed && !this.#isDelivering) this.#poller.settle();
  }

  close(): void {
    if (this.#isClosed) return;
    this.drain();
    this.#isClosed = true;
    this.#listener = undefined;
    this.#poller.stop();
    this.#otherSeat?.give();
    this.#port.close();
  }

  /** After the microtasks that there are by now, and those that they lead to. */
  readonly #comeBack = (): void => {
    const isLong = performance.now() - (this.#turnSince ?? 0) > BATCH_DELAY_MS;
    if (!isLong) nextTick(this.#takeWay);
    // a reader that is slower than its producer would find a batch each time, and no timer would ever fire
    else nextTurn(this.#takeTurn);
  };

  readonly #takeTurn = (): void => {
    this.#turnSince = undefined;
    this.#takeWay();
  };

  readonly #takeWay = (): void => {
    if (!this.#givesWay || this.#isClosed) return;
    this.#givesWay = false;
    this.#goOn();
  };

  #goOn(): void {
    this.#poll();
    if (!this.#isClosed && !this.#givesWay) this.#poller.settle();
  }

  #poll(): void {
    // who hears a message may drain, and must not hear the next before it is done with this
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    let hasCome = false;
    try {
      while (!this.#isClosed && !this.#isDeaf && !this.#givesWay && this.#deliver()) {
        if (!hasCome) this.#poller.came();
        hasCome = true;
      }
    } catch {
      this.#isDeaf = true;
      this.#onBroken();
      // without it there is no conversation: who supervises ends the life, and settles its calls
      this.#port.close();
    } finally {
      this.#isDelivering = false;
    }
  }

  /** The message whose turn it is, if it is there. */
  #deliver(): boolean {
    const inRing = this.#reader.peek();
    if (inRing === this.#next) {
      this.#tell(this.#reader.take(), []);
      return true;
    }
    // it went over the port, and before what waits in the ring
    if (this.#carried.length === 0 && inRing !== undefined) this.#pull();
    const [first] = this.#carried;
    if (first?.number === this.#next) {
      this.#carried.shift();
      this.#tell(first.batch, first.attachments);
      return true;
    }
    const later = earlierOf(inRing, first?.number);
    if (later === undefined) return false;
    // it was sent, and cannot be received
    this.#onBroken();
    this.#next = later;
    return true;
  }

  #tell(batch: Buffer, attachments: readonly unknown[]): void {
    this.#next = (this.#next + 1) >>> 0;
    this.#listener?.(batch, attachments);
  }

  #pull(): void {
    for (;;) {
      const left = receiveMessageOnPort(this.#port);
      if (!left) return;
      this.#hear(left.message);
    }
  }

  #hear(message: unknown): void {
    if (message === BELL) return;
    const [number, batch, ...attachments] = Array.isArray(message) ? (message as unknown[]) : [];
    if (typeof number === 'number' && batch instanceof Uint8Array) {
      this.#carried.push({ number, batch: asBuffer(batch), attachments });
    } else this.#onBroken();
  }
}

const THIS_TURN = Promise.resolve();
// as they are now: a test, or a plugin in its thread, may replace them
const nextTick = process.nextTick.bind(process);
const nextTurn = setImmediate;

/** Of two numbers in one row, where there are two. */
function earlierOf(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return isLater(a, b) ? b : a;
}
