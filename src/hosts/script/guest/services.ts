/** `ctx`, as a script has it. Runs inside the VM; see entrance.ts for how. */
import type { GuestCodec, HostCalls } from './entrance.ts';
import type { GuestErrors } from './errors.ts';

export interface Identity {
  id: string;
  agentId: string;
  generation: number;
  config: unknown;
}

export interface GuestServices {
  ctx: object;
  identify(identity: Identity): void;
  /** A service that was asked for has its outcome. */
  settle(op: number, value: unknown): void;
  fail(op: number, error: unknown): void;
  /** Nobody waits for these any more. */
  forget(numbers: readonly number[]): void;
  /** Runs the function that a service was given, or that listens, by its number. */
  apply(target: number, argument: unknown): unknown;
  /** A new life begins with this heap: what the one before it waited for does not come any more. */
  revive(): void;
}

export function guestServices(
  host: HostCalls,
  { encode, decode, refusalOf }: GuestCodec,
  errors: GuestErrors,
): GuestServices {
  type Fields = Record<string, unknown>;
  type Fn = (...args: unknown[]) => unknown;
  interface Op {
    resolve(value: unknown): void;
    reject(error: unknown): void;
    /** The thread may have it run as long as this lasts. */
    fn: Fn | undefined;
  }
  const ops = new Map<number, Op>();
  const listeners = new Map<number, { topic: string; fn: Fn }>();
  let numbers = 0;
  let identity: Identity = { id: '', agentId: '', generation: 0, config: {} };

  const check = (failed: string | undefined): void => {
    if (failed !== undefined) throw errors.raise(decode(failed));
  };

  /** What is wrong with an argument is the script's mistake, not that of its result. */
  const textOf = (args: unknown[]): string => {
    try {
      return encode(args);
    } catch (error) {
      const refusal = refusalOf(error);
      if (!refusal) throw error;
      const [code, message] = refusal;
      throw Object.assign(new Error(message, { cause: error }), { name: 'PluginError', code });
    }
  };

  const begin = (service: string, args: unknown[], fn?: Fn): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const op = ++numbers;
      const text = textOf(args);
      ops.set(op, { resolve, reject, fn });
      host.start(op, service, text);
    });

  const start = (service: string, ...args: unknown[]): Promise<unknown> => begin(service, args);

  /** A stream of the host's: the next chunk is asked for when it is wanted. */
  class HostStream {
    readonly #number = ++numbers;
    #ended = false;

    constructor(service: string, args: unknown[]) {
      check(host.open(this.#number, service, textOf(args)));
    }

    async next(): Promise<{ value: unknown; done: boolean }> {
      if (this.#ended) return { value: undefined, done: true };
      const chunk = (await start('next', this.#number)) as [unknown] | undefined;
      if (chunk) return { value: chunk[0], done: false };
      this.#ended = true;
      return { value: undefined, done: true };
    }

    return(value?: unknown): Promise<{ value: unknown; done: boolean }> {
      if (!this.#ended) host.shut(this.#number);
      this.#ended = true;
      return Promise.resolve({ value, done: true });
    }

    [Symbol.asyncIterator](): this {
      return this;
    }
  }

  /** What of a call's options crosses; the signal of the call that runs counts in any case. */
  const callOptions = (given: unknown): Fields => {
    if (typeof given !== 'object' || given === null) return {};
    const { signal, timeoutMs, idempotent } = given as Fields;
    const { aborted, reason } = (signal ?? {}) as Fields;
    if (aborted === true) throw reason;
    return { timeoutMs, idempotent };
  };

  /** With a function for the thread to have run. */
  const lend = async (fn: Fn, service: string, ...args: unknown[]): Promise<unknown> => {
    if (typeof fn !== 'function') throw new TypeError('a function is missing');
    return begin(service, args, fn);
  };

  const state = {
    get: (key: string) => start('state.get', key),
    set: (key: string, value: unknown) => start('state.set', key, value),
    delete: (key: string) => start('state.delete', key),
    keys: () => start('state.keys'),
    update(key: string, fn: Fn) {
      const atOnce = (current: unknown): unknown => {
        const value = fn(current);
        if (value instanceof Promise) throw new TypeError('the function must not be async');
        return value;
      };
      return lend(atOnce, 'state.update', key);
    },
    watch: (key: string) => new HostStream('state.watch', [key]),
  };

  const events = {
    emit: (topic: string, data?: unknown) => start('events.emit', topic, data),
    on(topic: string, listener: Fn) {
      if (typeof listener !== 'function') throw new TypeError('events.on needs a function');
      const target = ++numbers;
      // what it returns is nobody's
      listeners.set(target, { topic, fn: (event) => void listener(event) });
      host.listen(target, topic);
      return () => {
        if (listeners.delete(target)) host.unlisten(target);
      };
    },
  };

  /** The function's outcome stays here: it need not be something that can be sent. */
  const lock = async (name: string, fn: Fn, options?: Fields): Promise<unknown> => {
    let outcome: { value: unknown } | { error: unknown } | undefined;
    const run = async (): Promise<void> => {
      try {
        outcome = { value: await fn() };
      } catch (error) {
        outcome = { error };
      }
    };
    const { timeoutMs } = options ?? {};
    await lend(run, 'lock', name, { timeoutMs });
    if (outcome && 'error' in outcome) throw outcome.error;
    return outcome?.value;
  };

  const logger =
    (level: string) =>
    (message: unknown, fields?: unknown): void => {
      host.log(level, String(message), textOf([fields]));
    };
  const log = {
    debug: logger('debug'),
    info: logger('info'),
    warn: logger('warn'),
    error: logger('error'),
  };

  const ctx = {
    get id() {
      return identity.id;
    },
    get agentId() {
      return identity.agentId;
    },
    get generation() {
      return identity.generation;
    },
    get config() {
      return identity.config;
    },
    log: Object.freeze(log),
    state: Object.freeze(state),
    events: Object.freeze(events),
    lock,
    call: async (id: string, input?: unknown, options?: unknown) =>
      start('call', id, input, callOptions(options)),
    stream: (id: string, input?: unknown, options?: unknown) =>
      new HostStream('stream', [id, input, callOptions(options)]),
    now: () => Date.now(),
    uuid: () => host.uuid(),
    exit: (reason?: unknown) => {
      host.exit(textOf([reason]));
    },
  };

  return {
    ctx: Object.freeze(ctx),
    identify: (given) => {
      identity = given;
    },
    settle(op, value) {
      ops.get(op)?.resolve(value);
      ops.delete(op);
    },
    fail(op, error) {
      ops.get(op)?.reject(error);
      ops.delete(op);
    },
    forget(numbers) {
      for (const op of numbers) ops.delete(op);
    },
    apply: (target, argument) => (ops.get(target) ?? listeners.get(target))?.fn?.(argument),
    revive() {
      const lost = new Error('the life in which this was asked for is over');
      for (const op of ops.values()) op.reject(lost);
      ops.clear();
      for (const [target, { topic }] of listeners) host.listen(target, topic);
    },
  };
}
