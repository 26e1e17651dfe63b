/** Calls that arrived and have not begun, in their order: frames, copied out of their readers. */
import type { FrameReader } from '../protocol/frame.ts';

export interface WaitingCall {
  readonly slot: number;
  readonly number: number;
  readonly flags: number;
  /** Epoch ms. */
  readonly deadline: number | undefined;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly attachments: readonly unknown[];
}

export class Inbox {
  #calls: WaitingCall[] = [];
  /** Those before it were taken: so that taking one moves no others. */
  #next = 0;

  get isEmpty(): boolean {
    return this.#next === this.#calls.length;
  }

  push(frame: FrameReader): void {
    this.#calls.push({
      slot: frame.slot,
      number: frame.number,
      flags: frame.flags,
      deadline: frame.detail > 0 ? Date.now() + frame.detail : undefined,
      bytes: frame.bytes,
      start: frame.start,
      end: frame.end,
      attachments: frame.attachments,
    });
  }

  take(): WaitingCall | undefined {
    const call = this.#calls[this.#next];
    if (call) this.#next++;
    this.#forgetTaken();
    return call;
  }

  remove(number: number): WaitingCall | undefined {
    const isIt = (call: WaitingCall, at: number): boolean =>
      at >= this.#next && call.number === number;
    const at = this.#calls.findIndex(isIt);
    if (at < 0) return undefined;
    const [call] = this.#calls.splice(at, 1);
    this.#forgetTaken();
    return call;
  }

  #forgetTaken(): void {
    if (!this.isEmpty) return;
    this.#calls = [];
    this.#next = 0;
  }
}
