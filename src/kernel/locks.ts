/** Named locks, first come first served. What a holder leaves behind when it dies is released. */
import { E_TIMEOUT, Mutex, withTimeout, type MutexInterface } from 'async-mutex';

import { PluginError } from '../protocol/errors.ts';

interface Held {
  holder: object;
  release: () => void;
}

export class Locks {
  readonly #mutexes = new Map<string, { mutex: Mutex; users: number }>();
  readonly #held = new Map<number, Held>();
  readonly #gone = new WeakSet();
  #lastToken = 0;

  /** @param holder whose end releases the lock; see {@link Locks.releaseAll}. */
  async acquire(name: string, holder: object, timeoutMs?: number): Promise<number> {
    const entry = this.#mutexes.get(name) ?? { mutex: new Mutex(), users: 0 };
    this.#mutexes.set(name, entry);
    entry.users++;
    let unlock: MutexInterface.Releaser;
    try {
      unlock = await this.#bounded(entry.mutex, timeoutMs).acquire();
    } catch (error) {
      this.#leave(name, entry);
      throw error === E_TIMEOUT ? timedOut(name, timeoutMs) : error;
    }
    const release = (): void => {
      unlock();
      this.#leave(name, entry);
    };
    if (this.#gone.has(holder)) {
      release();
      throw new PluginError(
        'PLUGIN_STOPPED',
        `the lock ${name} was waited for by a plugin that ended`,
      );
    }
    this.#lastToken++;
    this.#held.set(this.#lastToken, { holder, release });
    return this.#lastToken;
  }

  /** Of another's token, or one released already: nothing happens. */
  release(token: number, holder: object): void {
    const held = this.#held.get(token);
    if (held?.holder !== holder) return;
    this.#held.delete(token);
    held.release();
  }

  releaseAll(holder: object): void {
    this.#gone.add(holder);
    for (const [token, held] of this.#held) {
      if (held.holder === holder) this.release(token, holder);
    }
  }

  #bounded(mutex: Mutex, timeoutMs: number | undefined): MutexInterface {
    return timeoutMs === undefined ? mutex : withTimeout(mutex, timeoutMs);
  }

  #leave(name: string, entry: { users: number }): void {
    entry.users--;
    if (entry.users === 0) this.#mutexes.delete(name);
  }
}

function timedOut(name: string, timeoutMs: number | undefined): PluginError {
  return new PluginError(
    'CALL_TIMEOUT',
    `the lock ${name} was not free within ${String(timeoutMs)} ms`,
    {
      data: { lock: name, phase: 'queued', timeoutMs },
    },
  );
}
