/**
 * What a reload asks of a life: to begin no call for a moment, to say what its state is, or to
 * begin with the state of another.
 */
import { PluginError } from '../protocol/errors.ts';
import type { EncodedValue } from '../protocol/messages.ts';
import type { Hooks } from './hooks.ts';
import type { Life } from './life.ts';

export interface HandoverScope {
  /** `undefined`: there is none that could be asked now. */
  life(): Life | undefined;
  /** Calls flow no more, or again. */
  changed(): void;
}

export class Handover {
  /** No call begins; those that come wait. */
  isHeld = false;
  /** One of the hooks runs: the thread need not answer. */
  isUnderWay = false;
  readonly #hooks: Hooks;
  readonly #scope: HandoverScope;

  constructor(hooks: Hooks, scope: HandoverScope) {
    this.#hooks = hooks;
    this.#scope = scope;
  }

  get canGive(): boolean {
    return this.#scope.life() !== undefined && this.#hooks.has('snapshot');
  }

  get canTake(): boolean {
    return this.#scope.life() !== undefined && this.#hooks.has('restore');
  }

  hold(): void {
    this.isHeld = true;
    const board = this.#scope.life()?.board;
    if (board?.mayBegin()) board.hold({ park: false });
    this.#scope.changed();
  }

  /** All goes on as if nothing had been. */
  release(): void {
    if (!this.isHeld) return;
    this.isHeld = false;
    const life = this.#scope.life();
    const wasHeld = life !== undefined && !life.board.mayBegin();
    this.#scope.changed();
    // what had arrived there waits for somebody to look again
    if (wasHeld && life.board.mayBegin()) life.control.resume().catch(() => undefined);
  }

  /** Begun calls end first. */
  snapshot(): Promise<EncodedValue> {
    return this.#ask((life) => this.#hooks.snapshot(life));
  }

  /** @returns false where it is of no use to this version: it begins without it. */
  async restore(saved: EncodedValue): Promise<boolean> {
    try {
      await this.#ask((life) => this.#hooks.restore(life, saved));
      return true;
    } catch (error) {
      if (isOfOtherCode(error)) return false;
      throw error;
    }
  }

  async #ask<T>(what: (life: Life) => Promise<T>): Promise<T> {
    const life = this.#scope.life();
    if (!life) throw new PluginError('PLUGIN_CRASHED', 'it has no life any more');
    this.isUnderWay = true;
    try {
      return await what(life);
    } finally {
      this.isUnderWay = false;
    }
  }
}

/** The heap of a script without hooks of its own holds its code, too. */
function isOfOtherCode(error: unknown): boolean {
  const cause = error instanceof PluginError ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'SNAPSHOT_REFUSED';
}
