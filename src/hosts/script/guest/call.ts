/** `call`, as a script sees it. Runs inside the VM; see entrance.ts for how. */
import type { ValueCodec } from './codec.ts';
import type { HostCalls } from './entrance.ts';
import type { GuestErrors } from './errors.ts';

export interface GuestCalls {
  /** The call that is begun under this number. */
  begin(ask: number): object;
  /** It was given up: those who listen hear of it. */
  abort(ask: number, error: unknown): void;
  end(ask: number): void;
  /** A new life: none is under way. */
  clear(): void;
}

export function guestCalls(host: HostCalls, codec: ValueCodec, errors: GuestErrors): GuestCalls {
  type Fn = (...args: unknown[]) => unknown;

  /** Of an AbortSignal what a script needs. */
  class Signal {
    aborted = false;
    reason: unknown = undefined;
    onabort: Fn | null = null;
    readonly #listeners = new Set<unknown>();

    addEventListener(type: string, listener: unknown): void {
      if (type === 'abort') this.#listeners.add(listener);
    }

    removeEventListener(type: string, listener: unknown): void {
      if (type === 'abort') this.#listeners.delete(listener);
    }

    throwIfAborted(): void {
      if (this.aborted) throw this.reason;
    }

    static abort(signal: Signal, reason: unknown): void {
      if (signal.aborted) return;
      signal.aborted = true;
      signal.reason = reason;
      const event = { type: 'abort', target: signal };
      for (const listener of [signal.onabort, ...signal.#listeners]) {
        if (typeof listener === 'function') (listener as Fn).call(signal, event);
      }
    }
  }

  interface Info {
    id: string;
    deadline?: number;
  }

  class ScriptCall {
    readonly #ask: number;
    #info: Info | undefined;
    #signal: Signal | undefined;
    #abortedFor: { error: unknown } | undefined;

    constructor(ask: number) {
      this.#ask = ask;
    }

    get id(): string {
      return this.#known().id;
    }

    get deadline(): number | undefined {
      return this.#known().deadline;
    }

    get signal(): Signal {
      this.#signal ??= new Signal();
      if (this.#abortedFor) Signal.abort(this.#signal, this.#abortedFor.error);
      return this.#signal;
    }

    checkpoint(): void {
      const failed = host.checkpoint(this.#ask);
      if (failed !== undefined) throw errors.raise(codec.decode(failed));
    }

    progress(fraction: number, note?: string): void {
      const failed = host.progress(this.#ask, codec.encode([fraction, note]));
      if (failed !== undefined) throw errors.raise(codec.decode(failed));
    }

    static abort(call: ScriptCall, error: unknown): void {
      call.#abortedFor = { error };
      if (call.#signal) Signal.abort(call.#signal, error);
    }

    #known(): Info {
      this.#info ??= codec.decode(host.callInfo(this.#ask)) as Info;
      return this.#info;
    }
  }

  const calls = new Map<number, ScriptCall>();
  return {
    begin(ask) {
      const call = new ScriptCall(ask);
      calls.set(ask, call);
      return call;
    },
    abort(ask, error) {
      const call = calls.get(ask);
      if (call) ScriptCall.abort(call, error);
    },
    end: (ask) => {
      calls.delete(ask);
    },
    clear: () => {
      calls.clear();
    },
  };
}
