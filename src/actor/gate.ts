/**
 * Pause and resume inside the actor. A pause is quiet when no call runs, or when the one that
 * runs stands still at a checkpoint; the hooks run once for each pause, whichever way it went.
 */
import type { PluginHooks } from '../plugin.ts';
import { KIND } from '../protocol/frame.ts';
import type { SignalBoard } from '../protocol/signal-board.ts';
import type { Link, ReturnAddress } from '../transport/link.ts';
import type { CallLoop } from './call-loop.ts';

export class Gate {
  hooks: PluginHooks | undefined;
  readonly #board: SignalBoard;
  readonly #link: Link;
  readonly #onHookError: (error: unknown) => void;
  #pausedFor = 0;

  /** @param onHookError a hook that throws at a checkpoint has nobody to answer to but the log. */
  constructor(board: SignalBoard, link: Link, onHookError: (error: unknown) => void) {
    this.#board = board;
    this.#link = link;
    this.#onHookError = onHookError;
  }

  /** Blocks the thread at a call's checkpoint until main releases it, or cancels the call. */
  park({ slot, number: call }: ReturnAddress): void {
    const number = this.#board.pauseNumber();
    this.#enter(number);
    this.#link.tell(KIND.parked, number);
    this.#link.flush();
    this.#board.park(slot, call);
    // still held: no resume, the call was cancelled
    if (this.#board.mayBegin()) this.#leave();
    this.#link.tell(KIND.awake, number);
    this.#link.flush();
  }

  async pause(number: number, loop: CallLoop): Promise<void> {
    await loop.whenQuiet();
    if (this.#board.pauseNumber() !== number || this.#board.mayBegin()) return;
    if (this.#pausedFor === number) return;
    this.#pausedFor = number;
    await this.hooks?.pause?.();
  }

  async resume(loop: CallLoop): Promise<void> {
    if (this.#pausedFor !== 0) {
      await this.hooks?.resume?.();
      this.#pausedFor = 0;
    }
    loop.pump();
  }

  #enter(number: number): void {
    if (this.#pausedFor === number) return;
    this.#pausedFor = number;
    this.#guard(() => this.hooks?.pause?.());
  }

  #leave(): void {
    if (this.#pausedFor === 0) return;
    this.#pausedFor = 0;
    this.#guard(() => this.hooks?.resume?.());
  }

  #guard(hook: () => unknown): void {
    try {
      const pending = hook();
      if (pending instanceof Promise) pending.catch(this.#onHookError);
    } catch (error) {
      this.#onHookError(error);
    }
  }
}
