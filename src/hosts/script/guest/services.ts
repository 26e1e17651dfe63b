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
  /** Runs a function that was handed out by number. */
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
  }
  const ops = new Map<number, Op>();
  const functions = new Map<number, Fn>();
  /** What is listened to, by the number of its function. */
  const topics = new Map<number, string>();
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

  const start = (service: string, ...args: unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const op = ++numbers;
      const text = textOf(args);
      ops.set(op, { resolve, reject });
      host.start(op, service, text);
    });

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

  /** Hands a function out for as long as the work takes. */
  const lend = async (fn: Fn, work: (target: number) => Promise<unknown>): Promise<unknown> => {
    if (typeof fn !== 'function') throw new TypeError('a function is missing');
    const target = ++numbers;
    functions.set(target, fn);
    try {
      return await work(target);
    } finally {
      functions.delete(target);
    }
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
      return lend(atOnce, (target) => start('state.update', key, target));
    },
    watch: (key: string) => new HostStream('state.watch', [key]),
  };

  const events = {
    emit: (topic: string, data?: unknown) => start('events.emit', topic, data),
    on(topic: string, listener: Fn) {
      if (typeof listener !== 'function') throw new TypeError('events.on needs a function');
      const target = ++numbers;
      // what it returns is nobody's
      functions.set(target, (event) => void listener(event));
      topics.set(target, topic);
      host.listen(target, topic);
      return () => {
        if (topics.delete(target)) host.unlisten(target);
        functions.delete(target);
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
    await lend(run, (target) => start('lock', name, target, { timeoutMs }));
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
    apply: (target, argument) => functions.get(target)?.(argument),
    revive() {
      const lost = new Error('the life in which this was asked for is over');
      for (const op of ops.values()) op.reject(lost);
      ops.clear();
      for (const [target, topic] of topics) host.listen(target, topic);
    },
  };
}
