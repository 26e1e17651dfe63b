/**
 * The words that main thread and actor share: what must be known while the actor computes, or
 * after it died. Each word has one writer:
 *
 *   0 gate      bits, see GATE; main writes, the actor reads at every begin and checkpoint
 *   1 begun     number of the last begun call; the actor writes
 *   2 pause     number of the current pause, so that late answers to an earlier one are known
 *   3 bell      counts what an actor that stands still should look at; main writes
 *   4,5         Float64: since when the actor is inside calls (epoch ms, 0 = idle); the actor writes
 *   6 section   1 while the actor is where its thread must not be ended, else 0; the actor writes
 *   7…          one word a slot: the number of the cancelled call in it, or its negative
 *               where it is taken back; main writes
 *
 * The order of reads and writes makes "begun" exact: the actor stores `begun` and then looks for
 * a cancellation, main stores the cancellation and then looks at `begun`. Whatever the timing,
 * at least one of them sees the other. Section and gate are exact in the same way: the actor says
 * that it is inside and then looks whether it may be, main forbids it and then looks who is inside.
 */
import { WORD_BYTES, type BoardWords } from './board-words.ts';
import { isLater } from './frame.ts';

const GATE = 0;
const BEGUN = 1;
const PAUSE = 2;
const BELL = 3;
const BUSY_SINCE = 4;
const SECTION = 6;
const CANCELLED = 7;

/** A parked thread looks again after this long, should a wake-up be lost (ms). */
const PARK_LOOK_MS = 1_000;

const HOLD = 1;
const PARK = 2;
const ATTEND = 4;
const END = 8;
const SEALED = 16;

/** Size of the board of an actor with so many calls in flight. */
export function boardBytes(slots: number): number {
  return (CANCELLED + slots) * WORD_BYTES;
}

export class SignalBoard {
  readonly #words: BoardWords;
  #attending = 0;

  /** @param words of {@link boardBytes}, all 0 at first; each side has its own view of the same. */
  constructor(words: BoardWords) {
    this.#words = words;
  }

  // --- main's side ---

  /** From now on the actor begins no call. With `park`, a checkpoint stands still as well. */
  hold(options: { park: boolean }): number {
    const pause = this.#words.load(PAUSE) + 1;
    this.#words.store(PAUSE, pause);
    this.#setGate(this.#gate() | (options.park ? HOLD | PARK : HOLD));
    this.ring();
    return pause;
  }

  /** Calls begin again, and a parked checkpoint goes on. Returns the pause's number. */
  release(): number {
    this.#setGate(this.#gate() & ~(HOLD | PARK));
    this.#words.wake(GATE);
    return this.#words.load(PAUSE);
  }

  /** Cancels a call; true when it had begun already, false when it never will. */
  cancel(slot: number, number: number): boolean {
    this.#words.store(CANCELLED + slot, number);
    this.#attending++;
    this.#setGate(this.#gate() | ATTEND);
    this.#words.wake(GATE);
    this.ring();
    return this.hasBegun(number);
  }

  /** Something was sent, or has changed: who waits for an answer without its event loop looks. */
  ring(): void {
    this.#words.store(BELL, (this.#words.load(BELL) + 1) | 0);
    this.#words.wake(BELL);
  }

  /** The cancelled call is gone; checkpoints need not look any more. */
  cancelSettled(): void {
    this.#attending--;
    if (this.#attending === 0) this.#setGate(this.#gate() & ~ATTEND);
  }

  /**
   * Takes a call back that has not begun: true when it never will. A call that has does not notice,
   * but for one: the actor may have seen this just before it began the call, and skip it.
   */
  recall(slot: number, number: number): boolean {
    this.#words.store(CANCELLED + slot, -number);
    if (!this.hasBegun(number)) return true;
    this.recallSettled(slot);
    return false;
  }

  recallSettled(slot: number): void {
    this.#words.store(CANCELLED + slot, 0);
  }

  /** It is about to end: what it has imported by then is not set up any more. */
  end(): void {
    this.#setGate(this.#gate() | END);
  }

  /** From now on no section begins. For good. */
  seal(): void {
    this.#setGate(this.#gate() | SEALED);
  }

  /** To be asked once it is sealed: false is final then. */
  isInSection(): boolean {
    return this.#words.load(SECTION) !== 0;
  }

  hasBegun(number: number): boolean {
    return !isLater(number, this.#words.load(BEGUN));
  }

  /** Since when the actor is inside calls (epoch ms), or `undefined` when it is idle. */
  busySince(): number | undefined {
    const since = this.#words.loadTime(BUSY_SINCE);
    return since === 0 ? undefined : since;
  }

  // --- the actor's side ---

  /** Publishes that a call begins. False: it was cancelled or taken back, and must not run. */
  begin(slot: number, number: number): boolean {
    this.#words.store(BEGUN, number);
    const word = this.#words.load(CANCELLED + slot);
    return word !== number && word !== -number;
  }

  isCancelled(slot: number, number: number): boolean {
    return this.#words.load(CANCELLED + slot) === number;
  }

  /** The one word a checkpoint reads: 0 when there is nothing to do. */
  attention(): number {
    return this.#words.glance(GATE);
  }

  mayBegin(): boolean {
    return (this.#gate() & HOLD) === 0;
  }

  mustPark(): boolean {
    return (this.#gate() & PARK) !== 0;
  }

  isEnding(): boolean {
    return (this.#gate() & END) !== 0;
  }

  pauseNumber(): number {
    return this.#words.load(PAUSE);
  }

  /** Blocks the thread, using no processor, until main releases it or cancels this call. */
  park(slot: number, number: number): void {
    for (;;) {
      const gate = this.#gate();
      if ((gate & PARK) === 0 || this.isCancelled(slot, number)) return;
      this.#words.sleep(GATE, gate, PARK_LOOK_MS);
    }
  }

  /** Its thread is not ended in here, but after a while. Does not return where it is to be ended. */
  enterSection(): void {
    this.#words.store(SECTION, 1);
    if (this.#isSealed()) this.leaveSection();
  }

  /** Does not return where the thread is to be ended. */
  leaveSection(): void {
    this.#words.store(SECTION, 0);
    while (this.#isSealed()) this.#words.sleep(GATE, this.#gate(), PARK_LOOK_MS);
  }

  rung(): number {
    return this.#words.load(BELL);
  }

  /** Blocks the thread until the bell rings that had rung `rung` times, or for this long. */
  awaitBell(rung: number, limitMs: number): void {
    this.#words.sleep(BELL, rung, Math.min(limitMs, PARK_LOOK_MS));
  }

  setBusy(epochMs: number): void {
    this.#words.storeTime(BUSY_SINCE, epochMs);
  }

  #isSealed(): boolean {
    return (this.#gate() & SEALED) !== 0;
  }

  #gate(): number {
    return this.#words.load(GATE);
  }

  /** Main's alone: that it is the only writer is what makes this safe. */
  #setGate(bits: number): void {
    this.#words.store(GATE, bits);
  }
}
