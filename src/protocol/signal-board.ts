/**
 * The words that main thread and actor share: what must be known while the actor computes, or
 * after it died. One Int32 array:
 *
 *   0 gate      bits, see GATE; main writes, the actor reads at every begin and checkpoint
 *   1 begun     number of the last begun call; the actor writes
 *   2 pause     number of the current pause, so that late answers to an earlier one are known
 *   3 (free)
 *   4,5         Float64: since when the actor is inside calls (epoch ms, 0 = idle)
 *   6…          one word a slot: the number of the cancelled call in it
 *
 * The order of reads and writes makes "begun" exact: the actor stores `begun` and then looks for
 * a cancellation, main stores the cancellation and then looks at `begun`. Whatever the timing,
 * at least one of them sees the other.
 */
import { isLater } from './frame.ts';

const GATE = 0;
const BEGUN = 1;
const PAUSE = 2;
const BUSY_SINCE_BYTES = 16;
const CANCELLED = 6;

/** A parked thread looks again after this long, should a wake-up be lost (ms). */
const PARK_LOOK_MS = 1_000;

const HOLD = 1;
const PARK = 2;
const ATTEND = 4;

export class SignalBoard {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #busySince: Float64Array;
  #attending = 0;

  /** @param shared another side's buffer; without it a new board for `slots` calls. */
  constructor(shared: SharedArrayBuffer | { slots: number }) {
    this.buffer =
      shared instanceof SharedArrayBuffer
        ? shared
        : new SharedArrayBuffer((CANCELLED + shared.slots) * Int32Array.BYTES_PER_ELEMENT);
    this.#words = new Int32Array(this.buffer);
    this.#busySince = new Float64Array(this.buffer, BUSY_SINCE_BYTES, 1);
  }

  // --- main's side ---

  /** From now on the actor begins no call. With `park`, a checkpoint stands still as well. */
  hold(options: { park: boolean }): number {
    const pause = Atomics.add(this.#words, PAUSE, 1) + 1;
    Atomics.or(this.#words, GATE, options.park ? HOLD | PARK : HOLD);
    return pause;
  }

  /** Calls begin again, and a parked checkpoint goes on. Returns the pause's number. */
  release(): number {
    Atomics.and(this.#words, GATE, ~(HOLD | PARK));
    Atomics.notify(this.#words, GATE);
    return Atomics.load(this.#words, PAUSE);
  }

  /** Cancels a call; true when it had begun already, false when it never will. */
  cancel(slot: number, number: number): boolean {
    Atomics.store(this.#words, CANCELLED + slot, number);
    this.#attending++;
    Atomics.or(this.#words, GATE, ATTEND);
    Atomics.notify(this.#words, GATE);
    return this.hasBegun(number);
  }

  /** Takes a cancellation back. The actor may have seen it all the same, and skip the call. */
  withdraw(slot: number): void {
    Atomics.store(this.#words, CANCELLED + slot, 0);
    this.cancelSettled();
  }

  /** The cancelled call is gone; checkpoints need not look any more. */
  cancelSettled(): void {
    this.#attending--;
    if (this.#attending === 0) Atomics.and(this.#words, GATE, ~ATTEND);
  }

  hasBegun(number: number): boolean {
    return !isLater(number, Atomics.load(this.#words, BEGUN));
  }

  /** Since when the actor is inside calls (epoch ms), or `undefined` when it is idle. */
  busySince(): number | undefined {
    const since = this.#busySince[0];
    return since === undefined || since === 0 ? undefined : since;
  }

  // --- the actor's side ---

  /** Publishes that a call begins. False: it was cancelled and must not run. */
  begin(slot: number, number: number): boolean {
    Atomics.store(this.#words, BEGUN, number);
    return Atomics.load(this.#words, CANCELLED + slot) !== number;
  }

  isCancelled(slot: number, number: number): boolean {
    return Atomics.load(this.#words, CANCELLED + slot) === number;
  }

  /** The one word a checkpoint reads: 0 when there is nothing to do. */
  attention(): number {
    return Atomics.load(this.#words, GATE);
  }

  mayBegin(): boolean {
    return (Atomics.load(this.#words, GATE) & HOLD) === 0;
  }

  mustPark(): boolean {
    return (Atomics.load(this.#words, GATE) & PARK) !== 0;
  }

  pauseNumber(): number {
    return Atomics.load(this.#words, PAUSE);
  }

  /** Blocks the thread, using no processor, until main releases it or cancels this call. */
  park(slot: number, number: number): void {
    for (;;) {
      const gate = Atomics.load(this.#words, GATE);
      if ((gate & PARK) === 0 || this.isCancelled(slot, number)) return;
      Atomics.wait(this.#words, GATE, gate, PARK_LOOK_MS);
    }
  }

  setBusy(epochMs: number): void {
    this.#busySince[0] = epochMs;
  }
}
