/**
 * The calls that are at the actor: whether there is room for another, and what the actor is told
 * about those it has. What becomes of a call is not decided here.
 */
import { KERNEL_ROUTE, KIND } from '../protocol/frame.ts';
import { WINDOW_BYTES } from '../protocol/limits.ts';
import type { CallTarget } from './call-target.ts';
import { Call, movesBuffers, refuseDetached } from './call.ts';
import { recall } from './recall.ts';

export interface AtActorOptions {
  readonly concurrency: number;
  readonly graceMs: number;
  /** A begun call ignored its abort for the whole grace. */
  hang(call: Call): void;
}

export class AtActor {
  readonly #options: AtActorOptions;
  #target: CallTarget | undefined;
  #inFlight = 0;
  #bytes = 0;
  /** The bytes of calls that were taken back and that the actor has not let go of yet. */
  readonly #recalled = new Map<number, number>();

  constructor(options: AtActorOptions) {
    this.#options = options;
  }

  get target(): CallTarget | undefined {
    return this.#target;
  }

  /** Those that are not settled. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Those that keep the actor busy or wait for it, also where the caller gave up. */
  get load(): number {
    return this.#target ? this.#target.link.openCalls - this.#recalled.size : 0;
  }

  /** A new life, with no calls. */
  connect(target: CallTarget): void {
    this.#target = target;
    this.#bytes = 0;
    this.#recalled.clear();
  }

  /** The life is over; its calls are to be sorted. */
  disconnect(): CallTarget | undefined {
    const target = this.#target;
    this.#target = undefined;
    return target;
  }

  *calls(): Iterable<Call> {
    for (const exchange of this.#target?.link.exchanges() ?? []) {
      if (exchange instanceof Call) yield exchange;
    }
  }

  hasRoomFor({ bytes, request }: Call): boolean {
    const link = this.#target?.link;
    if (!link?.hasRoom) return false;
    if (this.#bytes > 0 && this.#bytes + bytes > WINDOW_BYTES) return false;
    // moved buffers can't be sent twice: such a call leaves only when it begins at once
    return !movesBuffers(request.payload) || link.openCalls < this.#options.concurrency;
  }

  /**
   * Throws what the transport throws for a buffer that cannot be moved; then it is not there.
   *
   * @param now by performance.now().
   */
  send(call: Call, now: number): void {
    const target = this.#target;
    if (!target) return;
    const { payload, flags, timeoutMs } = call.request;
    const left = timeoutMs > 0 ? Math.max(1, Math.ceil(timeoutMs - (now - call.acceptedAt))) : 0;
    call.deliveries++;
    call.generation = target.generation;
    refuseDetached(payload);
    const header = { route: KERNEL_ROUTE, flags, timeoutMs: left, parent: 0 };
    call.address = target.link.call(call, header, payload);
    this.#inFlight++;
    this.#bytes += call.bytes;
  }

  grant(call: Call, chunks: number): void {
    if (call.address) this.#target?.link.signal(KIND.credit, call.address, chunks);
  }

  /** True when it had begun; then the grace runs. False: it never will. */
  cancel(call: Call, reason: number): boolean {
    const target = this.#target;
    const { address } = call;
    if (!target || !address) return false;
    const begun = target.board.cancel(address.slot, address.number);
    target.link.signal(KIND.cancel, address, reason);
    if (begun) {
      call.grace ??= setTimeout(() => {
        this.#options.hang(call);
      }, this.#options.graceMs);
    }
    call.cancelled = true;
    return begun;
  }

  /** From now on it begins none; gives all that have not begun, and never will. */
  recallAll(left: () => void): Call[] {
    this.#target?.board.hold({ park: false });
    return [...this.calls()].filter((call) => {
      const isBack = !call.settled && this.recall(call, left);
      // one that slipped in ends; or the actor skips it, and then it does not come back either
      if (!isBack) call.slipped = false;
      return isBack;
    });
  }

  /** True where it has come back without having begun; `left` is called when its place is free. */
  recall(call: Call, left: () => void): boolean {
    const { address } = call;
    if (!this.#target || !address) return false;
    const isBack = recall(call, this.#target, () => {
      this.forget(address.number);
      left();
    });
    if (!isBack) return false;
    this.#recalled.set(address.number, call.bytes);
    this.takeBack(call);
    return true;
  }

  /** The actor has let go of one that was taken back, or is gone itself. */
  forget(number: number): void {
    this.#bytes -= this.#recalled.get(number) ?? 0;
    this.#recalled.delete(number);
  }

  /** It was sent, and never began. */
  takeBack(call: Call): void {
    call.deliveries--;
    this.leave(call);
  }

  /** It is not at this actor any more, and not settled either. */
  leave(call: Call): void {
    this.settled(call);
    call.slipped = false;
    call.address = undefined;
  }

  settled({ address }: Call): void {
    if (address) this.#inFlight--;
  }

  /** The actor is done with it, one way or the other: its place is free. */
  release(call: Call): void {
    this.#bytes -= call.bytes;
    clearTimeout(call.grace);
    call.grace = undefined;
    if (call.cancelled && call.address) this.#target?.board.cancelSettled(call.address.number);
    call.cancelled = false;
  }
}
