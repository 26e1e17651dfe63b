/** What is asked of a script, and how it answers: at once, later, or with a stream. */
import type { JSValueHandle } from 'quickjs-wasi';

import { CodecError } from '../../protocol/codec-error.ts';
import { SPARSE_LENGTH_MAX, UNSENDABLE, VIEWS } from '../../protocol/rich-table.ts';
import { fromWireError, isWireError, toWireError } from '../../protocol/wire-error.ts';
import type { HostFunction } from './crossing.ts';
import { valueCodec, type CodecSide, type ValueCodec } from './guest/codec.ts';
import { lowering } from './guest/lowering.ts';
import { raising } from './guest/raising.ts';
import type { Task } from './task.ts';
import type { ScriptVm } from './vm.ts';

/** `stream`: its chunks are pulled by this number. */
export type Answer = { value: unknown } | { stream: number };

interface Pending {
  readonly task: Task;
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

export interface AskLimits {
  payloadDepthMax: number;
  payloadBytesMax: number;
}

export class Asks {
  readonly codec: ValueCodec;
  /** What the VM calls when it answers, and for the bytes that go with a text. */
  readonly functions: Readonly<Record<'done' | 'give' | 'take', HostFunction>>;
  readonly #pending = new Map<number, Pending>();
  #number: number;
  #toVm: Uint8Array = new Uint8Array();
  #fromVm: Uint8Array = new Uint8Array();
  #vm: ScriptVm | undefined;
  #enter: JSValueHandle | undefined;

  /** @param first beyond every number that a restored heap may still answer to. */
  constructor({ payloadDepthMax, payloadBytesMax }: AskLimits, first: number) {
    this.#number = first;
    const side: CodecSide = {
      lowerError: (error) => toWireError(error),
      raiseError: errorOf,
      refuse(code, message) {
        throw new CodecError(code, message);
      },
      give: (bytes) => {
        this.#toVm = bytes;
      },
      take: () => this.#fromVm,
      depthMax: payloadDepthMax,
      charsMax: payloadBytesMax,
      sparseLengthMax: SPARSE_LENGTH_MAX,
      unsendable: UNSENDABLE,
      views: VIEWS,
    };
    this.codec = valueCodec(side, { lowering, raising });
    this.functions = {
      done: (ask, ending, text) => {
        this.#done(Number(ask), String(ending), String(text));
        return undefined;
      },
      give: (bytes) => {
        if (bytes instanceof Uint8Array) this.#fromVm = bytes;
        return undefined;
      },
      take: () => this.#toVm,
    };
  }

  connect(vm: ScriptVm, enter: JSValueHandle): void {
    this.#vm = vm;
    this.#enter = enter;
  }

  get vm(): ScriptVm {
    if (!this.#vm) throw new Error('the script has no VM yet');
    return this.#vm;
  }

  /**
   * Throws, or rejects, with what the script threw or what stopped the task.
   *
   * @param numbered told the number of this ask, before the script runs.
   */
  ask(
    task: Task,
    what: string,
    target = 0,
    text = '',
    numbered?: (ask: number) => void,
  ): Answer | Promise<Answer> {
    return this.askBy(task, (number) => {
      numbered?.(number);
      return this.#call(what, number, target, text);
    });
  }

  /** The same for another entrance: it is given the number to answer to. */
  askBy(task: Task, enter: (ask: number) => string | undefined): Answer | Promise<Answer> {
    const number = ++this.#number;
    const outcome: { settle?: () => Answer } = {};
    const pending: Pending = {
      task,
      resolve: (answer) => {
        outcome.settle = () => answer;
      },
      reject: (error) => {
        outcome.settle = () => {
          throw error;
        };
      },
    };
    this.#pending.set(number, pending);
    try {
      this.vm.turn(task, () => {
        const text = enter(number);
        // its bytes are there now, and may not be after the jobs of the turn
        if (text !== undefined) pending.resolve({ value: this.codec.decode(text) });
      });
    } catch (error) {
      this.#pending.delete(number);
      this.#stopped(task);
      throw error;
    }
    if (outcome.settle) {
      this.#pending.delete(number);
      return outcome.settle();
    }
    return new Promise((resolve, reject) => {
      pending.resolve = resolve;
      pending.reject = reject;
    });
  }

  /** Tells the VM something that has no answer. */
  tell(task: Task, what: string, target: number, text: string): void {
    try {
      this.vm.turn(task, () => this.#call(what, 0, target, text));
    } catch (error) {
      if (!this.#stopped(task)) throw error;
    }
  }

  /** The task is over: nobody waits for it any more. */
  giveUp(task: Task, error: Error): void {
    for (const [number, pending] of this.#pending) {
      if (pending.task !== task) continue;
      this.#pending.delete(number);
      pending.reject(error);
    }
  }

  #call(what: string, ask: number, target: number, text: string): string | undefined {
    if (!this.#enter) throw new Error('the script has no VM yet');
    return this.vm.call(this.#enter, [what, ask, target, text]);
  }

  /** What still waits for a task that was stopped waits for nothing. */
  #stopped(task: Task): boolean {
    if (!task.stopped) return false;
    this.giveUp(task, task.stopped);
    return true;
  }

  #done(ask: number, ending: string, text: string): void {
    const pending = this.#pending.get(ask);
    this.#pending.delete(ask);
    if (!pending) return;
    if (ending === 'stream') {
      pending.resolve({ stream: ask });
      return;
    }
    try {
      const value = this.codec.decode(text);
      if (ending === 'ok') pending.resolve({ value });
      else pending.reject(ending === 'refused' ? refusalOf(value) : errorOf(value));
    } catch (error) {
      pending.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

export function errorOf(wire: unknown): Error {
  return isWireError(wire) ? fromWireError(wire) : new Error('an error that cannot be read');
}

function refusalOf(value: unknown): Error {
  const [code, message] = Array.isArray(value) ? (value as unknown[]) : [];
  const known = code === 'PAYLOAD_TOO_LARGE' ? code : 'PAYLOAD_INVALID';
  return new CodecError(known, String(message));
}
