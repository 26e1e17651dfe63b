/** Waits without the event loop: a guest of WebAssembly is inside a call and cannot await. */
import type { Blocking } from '../protocol/blocking.ts';
import { CodecError } from '../protocol/codec-error.ts';
import { FLAG, KIND } from '../protocol/frame.ts';
import { STREAM_CREDIT_CHUNKS, type Limits } from '../protocol/limits.ts';
import type { ServiceRequest } from '../protocol/messages.ts';
import type { SignalBoard } from '../protocol/signal-board.ts';
import type { Link } from '../transport/link.ts';
import { encodeResult } from './answers.ts';
import type { Outbound, Settle } from './outbound.ts';
import type { Producer, PushedChunks, RunningCall } from './running-call.ts';

export interface StandstillScope {
  readonly board: SignalBoard;
  readonly link: Link;
  readonly limits: Limits;
  readonly outbound: Outbound;
  /** Takes in what has been sent to this actor; absent where only the event loop can. */
  readonly drain: (() => void) | undefined;
  /** The call that runs. */
  current(): RunningCall | undefined;
}

type Outcome = { ok: true; value: unknown } | { ok: false; error: unknown };

export class Standstill implements Blocking {
  readonly #scope: StandstillScope;

  constructor(scope: StandstillScope) {
    this.#scope = scope;
  }

  call(id: string, input: unknown): unknown {
    return this.#answer((settle) => this.#scope.outbound.begin(id, input, settle));
  }

  service(request: ServiceRequest): unknown {
    return this.#answer((settle) => this.#scope.outbound.beginService(request, settle));
  }

  checkpoint(): void {
    this.#scope.current()?.checkpoint();
  }

  sleep(ms: number): void {
    const until = performance.now() + ms;
    this.#until(() => performance.now() >= until, until);
  }

  push(value: unknown, bytes: number): void {
    const { link, limits } = this.#scope;
    const call = this.#scope.current();
    if (!call) throw new TypeError('there is no call whose stream this could be a chunk of');
    if ((call.flags & FLAG.stream) === 0) {
      this.checkpoint();
      const collected = call.pushed instanceof Collected ? call.pushed : new Collected(limits);
      call.pushed = collected;
      collected.add(value, bytes);
      return;
    }
    const sent = call.pushed instanceof Sent ? call.pushed : new Sent();
    call.pushed = sent;
    call.producer = sent;
    if (sent.room === 0) {
      this.#requireDrain();
      this.#until(() => sent.room > 0);
    } else this.checkpoint();
    sent.room--;
    link.reply(KIND.chunk, call, encodeResult(value, limits));
    link.flush();
  }

  #answer(begin: (settle: Settle) => () => void): unknown {
    let outcome: Outcome | undefined;
    const { link } = this.#scope;
    this.#requireDrain();
    this.checkpoint();
    const cancel = begin({
      resolve: (value) => {
        outcome = { ok: true, value };
      },
      reject: (error) => {
        outcome = { ok: false, error };
      },
    });
    try {
      this.#until(() => outcome !== undefined);
    } catch (error) {
      cancel();
      link.flush();
      throw error;
    }
    return valueOf(outcome);
  }

  /** What somebody else has to say would not be heard. */
  #requireDrain(): void {
    if (!this.#scope.drain) throw new TypeError(NO_DRAIN);
  }

  /** @param endsAt when it is over by itself, of `performance.now`. */
  #until(isOver: () => boolean, endsAt: number = Number.POSITIVE_INFINITY): void {
    const { board, drain, link } = this.#scope;
    link.flush();
    for (;;) {
      // what rings from here on ends the sleep below
      const rung = board.rung();
      drain?.();
      if (isOver()) return;
      this.checkpoint();
      board.awaitBell(rung, Math.max(0, endsAt - performance.now()));
    }
  }
}

const NO_DRAIN =
  "a guest cannot wait for an answer in a process of its own on this platform; use isolation 'thread'";

function valueOf(outcome: Outcome | undefined): unknown {
  if (outcome?.ok) return outcome.value;
  throw outcome?.error instanceof Error ? outcome.error : new Error(String(outcome?.error));
}

/** What a chunk takes at least: an endless row of empty ones is too much, too. */
const CHUNK_BYTES = 32;

/** Chunks for a caller who gets them all at once. */
class Collected implements PushedChunks {
  readonly collected: unknown[] = [];
  readonly #limits: Limits;
  #bytes = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  add(value: unknown, bytes: number): void {
    const { payloadBytesMax } = this.#limits;
    this.#bytes += bytes + CHUNK_BYTES;
    if (this.#bytes > payloadBytesMax) {
      throw new CodecError(
        'PAYLOAD_TOO_LARGE',
        `its chunks have more than limits.payloadBytesMax (${String(payloadBytesMax)}) bytes together; read them with stream()`,
        { limit: 'payloadBytesMax', max: payloadBytesMax, bytes: this.#bytes },
      );
    }
    this.collected.push(value);
  }
}

/** Chunks for a reader, who says how many more may come. */
class Sent implements PushedChunks, Producer {
  readonly collected: unknown[] = [];
  room = STREAM_CREDIT_CHUNKS;

  credit(chunks: number): void {
    this.room += chunks;
  }

  cancel(): void {
    // the call is cancelled on the board as well, where a checkpoint sees it
  }
}
