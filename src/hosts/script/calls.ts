/** Calls of a script: begun, given up, read chunk by chunk. */
import type { Call, PluginHooks } from '../../plugin.ts';
import type { Limits, ScriptOptions } from '../../protocol/limits.ts';
import { toWireError } from '../../protocol/wire-error.ts';
import type { Answer, Asks } from './asks.ts';
import type { Crossing, HostFunction } from './crossing.ts';
import { failing, type Services } from './services.ts';
import { Task, type TaskBounds } from './task.ts';

export class Calls {
  readonly functions: Readonly<Record<'checkpoint' | 'progress' | 'callInfo', HostFunction>>;
  readonly #asks: Asks;
  readonly #services: Services;
  readonly #limits: Limits;
  readonly #bounds: TaskBounds;
  /** By the number of their ask. */
  readonly #running = new Map<number, Call>();

  constructor(asks: Asks, services: Services, limits: Limits, script: ScriptOptions) {
    this.#asks = asks;
    this.#services = services;
    this.#limits = limits;
    this.#bounds = { operationsMax: script.operationsMax, turnMsMax: limits.hookTimeoutMs / 2 };
    const callOf = (ask: Crossing): Call | undefined => this.#running.get(Number(ask));
    this.functions = {
      checkpoint: (ask) => failing(asks, () => callOf(ask)?.checkpoint()),
      progress: (ask, text) =>
        failing(asks, () => {
          const [fraction, note] = asks.codec.decode(String(text)) as [unknown, unknown];
          callOf(ask)?.progress(Number(fraction), typeof note === 'string' ? note : undefined);
        }),
      callInfo: (ask) => {
        const { id = '', deadline } = callOf(ask) ?? {};
        return asks.codec.encode(deadline === undefined ? { id } : { id, deadline });
      },
    };
  }

  execute(input: unknown, call: Call): ReturnType<PluginHooks['execute']> {
    const task = new Task(this.#bounds, call);
    const text = this.#asks.codec.encode(input);
    let number = 0;
    const ended = (): void => {
      this.#running.delete(number);
      if (task.stopped) this.#forget(task, number);
    };
    try {
      const answer = this.#asks.ask(task, 'execute', 0, text, (ask) => {
        number = ask;
        this.#running.set(ask, call);
      });
      if (!(answer instanceof Promise) && 'value' in answer) {
        ended();
        return answer.value;
      }
      const forget = this.#onAbort(task, call, number);
      const over = (): void => {
        forget();
        ended();
      };
      return answer instanceof Promise
        ? this.#later(task, number, answer, over)
        : this.#stream(task, number, over);
    } catch (error) {
      ended();
      throw error;
    }
  }

  /** The VM's own part was stopped with it, and still knows of it. */
  #forget(task: Task, number: number): void {
    const ops = this.#asks.codec.encode(this.#services.abandon(task));
    this.#asks.tell(new Task(this.#bounds), 'forget', number, ops);
  }

  /** @param over called once, when nothing of the call goes on. */
  async #later(
    task: Task,
    number: number,
    pending: Promise<Answer>,
    over: () => void,
  ): Promise<unknown> {
    try {
      const answer = await pending;
      if ('stream' in answer) return this.#stream(task, number, over);
      over();
      return answer.value;
    } catch (error) {
      over();
      throw error;
    }
  }

  /** Each chunk is asked for when there is credit for it. */
  #stream(task: Task, number: number, over: () => void): AsyncIterable<unknown> {
    const stepOf = (answer: Answer): IteratorResult<unknown> => {
      const chunk = 'value' in answer ? answer.value : undefined;
      if (Array.isArray(chunk)) return { done: false, value: chunk[0] };
      over();
      return { done: true, value: undefined };
    };
    const failed = (error: unknown): never => {
      over();
      throw error;
    };
    const iterator = {
      next: () => {
        try {
          const answer = this.#asks.ask(task, 'pull', number);
          return answer instanceof Promise ? answer.then(stepOf, failed) : stepOf(answer);
        } catch (error) {
          return failed(error);
        }
      },
      return: async () => {
        try {
          // what is left of it may run its `finally`
          if (!task.stopped) await this.#asks.ask(task, 'close', number);
        } finally {
          over();
        }
        return { done: true as const, value: undefined };
      },
    };
    // a producer takes a step that is there already as it is
    return { [Symbol.asyncIterator]: () => iterator as AsyncIterator<unknown> };
  }

  /** Tells the script, and gives it half of the grace to come to an end by itself. */
  #onAbort(task: Task, call: Call, number: number): () => void {
    const { signal } = call;
    let timer: NodeJS.Timeout | undefined;
    const abort = (): void => {
      const mercyMs = this.#limits.graceMs / 2;
      const reason = signal.reason instanceof Error ? signal.reason : new Error('aborted');
      task.abort(mercyMs);
      timer = setTimeout(() => {
        task.stop('AbortError', 'the call was given up, and did not end soon after');
        this.#asks.giveUp(task, reason);
      }, mercyMs);
      this.#asks.tell(task, 'abort', number, this.#asks.codec.encode(toWireError(reason)));
      this.#services.fail(task, reason);
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    return () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    };
  }
}
