/**
 * What the VM works for: a call, a hook, a listener. The engine asks it about every ten thousand
 * steps whether to go on; once it said no, it says no for good.
 */
import type { Call } from '../../plugin.ts';
import { SCRIPT_OPERATIONS_STEP } from '../../protocol/limits.ts';

export interface TaskBounds {
  /** Steps in all; 0 is no bound. */
  operationsMax: number;
  /** Without giving the thread back (ms). A call has its own deadline instead. */
  turnMsMax: number;
}

export class Task {
  readonly call: Call | undefined;
  /** Services it waits for. */
  readonly ops = new Set<number>();
  readonly #bounds: TaskBounds;
  #operations = 0;
  #turnEnds = Infinity;
  /** Of an aborted one: it may clean up until then. */
  #mercyEnds: number | undefined;
  #stopped: Error | undefined;

  constructor(bounds: TaskBounds, call?: Call) {
    this.#bounds = bounds;
    this.call = call;
  }

  get stopped(): Error | undefined {
    return this.#stopped;
  }

  get isAborted(): boolean {
    return this.#mercyEnds !== undefined;
  }

  beginTurn(): void {
    this.#turnEnds = performance.now() + this.#bounds.turnMsMax;
  }

  /** Whether the engine is to end what runs. */
  look(): boolean {
    if (this.#stopped) return true;
    this.#operations += SCRIPT_OPERATIONS_STEP;
    const { operationsMax, turnMsMax } = this.#bounds;
    if (operationsMax > 0 && this.#operations > operationsMax) {
      return this.stop(
        'OPERATIONS_EXCEEDED',
        `more operations than script.operationsMax (${String(operationsMax)})`,
      );
    }
    if (this.call && this.#mercyEnds === undefined) return this.#checkpoint(this.call);
    if (performance.now() < (this.#mercyEnds ?? this.#turnEnds)) return false;
    return this.stop(
      'TURN_TIMEOUT',
      this.#mercyEnds === undefined
        ? `it ran for more than ${String(turnMsMax)} ms without giving its thread back`
        : 'the call was given up, and did not end soon after',
    );
  }

  abort(mercyMs: number): void {
    this.#mercyEnds ??= performance.now() + mercyMs;
  }

  /** @returns true */
  stop(code: string, message: string): true {
    this.#stopped ??= Object.assign(new RangeError(message), { code });
    return true;
  }

  #checkpoint(call: Call): boolean {
    try {
      call.checkpoint();
      return false;
    } catch (error) {
      this.#stopped = error instanceof Error ? error : new Error(String(error));
      return true;
    }
  }
}
