/** One begun call inside the actor: what the plugin sees as `call`. */
import type { Call } from '../plugin.ts';
import { encode } from '../protocol/codec.ts';
import { CANCEL_REASON, FLAG, KIND } from '../protocol/frame.ts';
import { RUNTIME_LIMITS, type Limits } from '../protocol/limits.ts';
import type { SignalBoard } from '../protocol/signal-board.ts';
import type { Redactor } from '../protocol/wire-error.ts';
import type { Link, ReturnAddress } from '../transport/link.ts';

/** What a call needs of the actor it runs in. */
export interface CallScope {
  readonly pluginId: string;
  readonly generation: number;
  readonly limits: Limits;
  readonly board: SignalBoard;
  readonly link: Link;
  readonly redactor: Redactor;
  /** Stands still until main releases the gate, or cancels the call. */
  park(call: ReturnAddress): void;
  /** Sends what waits, where it has waited long enough. */
  flushIfDue(): void;
  /** Told once, when the first call is over. */
  readonly called?: (() => void) | undefined;
}

/** Takes credit and the order to stop; only a stream has one. */
export interface Producer {
  credit(chunks: number): void;
  cancel(): void;
}

/** What a call that never yields has given so far. */
export interface PushedChunks {
  /** Where its caller reads no stream. */
  readonly collected: unknown[];
}

export class RunningCall implements Call, ReturnAddress {
  readonly slot: number;
  readonly number: number;
  readonly flags: number;
  readonly deadline: number | undefined;
  producer: Producer | undefined;
  /** Set where the call became a stream by what it pushed. */
  pushed: PushedChunks | undefined;
  readonly #scope: CallScope;
  #controller: AbortController | undefined;

  constructor(
    scope: CallScope,
    frame: ReturnAddress & { flags: number; deadline: number | undefined },
  ) {
    this.#scope = scope;
    this.slot = frame.slot;
    this.number = frame.number;
    this.flags = frame.flags;
    this.deadline = frame.deadline;
  }

  get id(): string {
    const { pluginId, generation } = this.#scope;
    return `${pluginId}-${String(generation)}-${String(this.number)}`;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.isCancelled) this.#controller.abort(abortError('the call was cancelled'));
    }
    return this.#controller.signal;
  }

  get isStream(): boolean {
    return (this.flags & FLAG.stream) !== 0;
  }

  get isCancelled(): boolean {
    return this.#scope.board.isCancelled(this.slot, this.number);
  }

  checkpoint(): void {
    const { board } = this.#scope;
    if (board.attention() === 0) return;
    if (!this.isCancelled && board.mustPark()) this.#scope.park(this);
    if (this.isCancelled) {
      const error = abortError('the call was cancelled, or is past its deadline');
      this.#controller?.abort(error);
      throw error;
    }
  }

  progress(fraction: number, note?: string): void {
    const { redactor } = this.#scope;
    const report = encode({ fraction, note: redactor.value(note) }, RUNTIME_LIMITS);
    this.#scope.link.reply(KIND.progress, this, report);
    this.#scope.flushIfDue();
  }

  /** Main gave the call up. */
  cancel(reason: number): void {
    const why = reason === CANCEL_REASON.deadline ? 'the deadline passed' : 'the caller gave up';
    this.#controller?.abort(abortError(why));
    this.producer?.cancel();
  }
}

function abortError(message: string): DOMException {
  return new DOMException(message, 'AbortError');
}
