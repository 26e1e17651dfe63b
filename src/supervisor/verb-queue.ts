/** The verbs of one plugin, one after the other; callers of the same one share its outcome. */
import { Mutex } from 'async-mutex';

import type { PluginError } from '../protocol/errors.ts';
import type { Verb } from './lifecycle.ts';

export interface VerbQueueOptions {
  /** Sets a verb going; its end is told by {@link VerbQueue.settle}. */
  begin(verb: Verb): void;
  /** What a verb that waits for a restart is settled with when a stop wants its place, if it does. */
  yields(): PluginError | undefined;
}

export class VerbQueue {
  readonly #options: VerbQueueOptions;
  readonly #mutex = new Mutex();
  #last: { verb: Verb; outcome: Promise<void> } | undefined;
  #stopsWaiting = 0;
  #settle: ((error: PluginError | undefined) => void) | undefined;

  constructor(options: VerbQueueOptions) {
    this.#options = options;
  }

  async perform(verb: Verb): Promise<void> {
    if (this.#last?.verb === verb) return this.#last.outcome;
    const stops = verb === 'stop' || verb === 'unload';
    if (stops) {
      this.#stopsWaiting++;
      this.#yieldToStop();
    }
    const outcome = this.#mutex.runExclusive(() => {
      if (stops) this.#stopsWaiting--;
      return this.#run(verb);
    });
    const mine = { verb, outcome };
    this.#last = mine;
    try {
      await outcome;
    } finally {
      if (this.#last === mine) this.#last = undefined;
    }
  }

  /** The verb under way, if there is one, has its outcome. */
  settle(error?: PluginError): void {
    this.#settle?.(error);
  }

  #run(verb: Verb): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#settle = (error) => {
        this.#settle = undefined;
        if (error) reject(error);
        else resolve();
      };
      this.#options.begin(verb);
      this.#yieldToStop();
    });
  }

  /** A verb that waits for a restart must not keep the plugin from being stopped. */
  #yieldToStop(): void {
    if (this.#stopsWaiting === 0 || !this.#settle) return;
    const error = this.#options.yields();
    if (error) this.#settle(error);
  }
}
