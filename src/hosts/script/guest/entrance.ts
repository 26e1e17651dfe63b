/**
 * The one way into the VM. This folder's functions run inside it, evaluated from their source
 * text before any script: they use nothing but their arguments and what ECMAScript has. Nothing
 * they do is trusted by the thread: a script can change what they run on.
 */
import type { GuestAnswers } from './answers.ts';
import type { GuestCalls } from './call.ts';
import type { CodecParts, CodecSide, ValueCodec } from './codec.ts';
import type { GuestErrors } from './errors.ts';
import type { GuestServices, Identity } from './services.ts';

/** How an ask ended; `refused`: its result can't be sent. */
export type Ending = 'ok' | 'error' | 'refused' | 'stream';

/** What the thread does for the VM. A text is an encoded value; the returned one that of an error. */
export interface HostCalls {
  /** An ask has its answer, later than at once. */
  done(ask: number, ending: Ending, text: string): void;
  /** Bytes that go with the next text. */
  give(bytes: ArrayBuffer): void;
  take(): ArrayBuffer;
  /** Begins a service: `settle` or `fail` follows, with this number. */
  start(op: number, service: string, text: string): void;
  open(stream: number, service: string, text: string): string | undefined;
  shut(stream: number): void;
  checkpoint(ask: number): string | undefined;
  progress(ask: number, text: string): string | undefined;
  /** What is known of a call. */
  callInfo(ask: number): string;
  log(level: string, message: string, text: string): void;
  listen(target: number, topic: string): void;
  unlisten(target: number): void;
  uuid(): string;
  exit(text: string): void;
}

export interface GuestOptions {
  depthMax: number;
  charsMax: number;
  sparseLengthMax: number;
  /** Source of a pattern. */
  unsendable: string;
  viewNames: readonly string[];
  /** Errors in an error. */
  causesMax: number;
  hookNames: readonly string[];
  /** Name under which this text is evaluated. */
  ownFile: string;
}

/** A codec that knows what it refused. */
export interface GuestCodec extends ValueCodec {
  /** Code and message, where it was this codec that threw. */
  refusalOf: (error: unknown) => [code: string, message: string] | undefined;
}

/** The functions of this folder. */
export interface GuestParts extends CodecParts {
  valueCodec: (side: CodecSide, parts: CodecParts) => ValueCodec;
  guestErrors: (options: GuestOptions) => GuestErrors;
  guestCalls: (host: HostCalls, codec: ValueCodec, errors: GuestErrors) => GuestCalls;
  guestServices: (host: HostCalls, codec: GuestCodec, errors: GuestErrors) => GuestServices;
  guestAnswers: (host: HostCalls, codec: GuestCodec, errors: GuestErrors) => GuestAnswers;
}

export interface Entrance {
  enter(what: string, ask: number, target: number, text: string): string | undefined;
  /** Makes hooks of a module that is being evaluated; answers with their names. */
  setup(ask: number, module: Promise<{ default?: unknown }>): string | undefined;
  /** The text of an error. */
  describe(error: unknown): string;
}

export function entrance(host: HostCalls, parts: GuestParts, options: GuestOptions): Entrance {
  type Hooks = Record<string, (...args: unknown[]) => unknown>;
  const isObject = (value: unknown): value is Record<string | symbol, unknown> =>
    typeof value === 'object' && value !== null;
  const mark = Symbol('plugin');
  const errors = parts.guestErrors(options);
  const refusals = new WeakMap<object, [string, string]>();
  const side: CodecSide = {
    lowerError: (error) => errors.lower(error),
    raiseError: (wire) => errors.raise(wire),
    refuse(code, message) {
      const error = Object.assign(new TypeError(message), { code });
      refusals.set(error, [code, message]);
      throw error;
    },
    give: (bytes) => {
      host.give(bytes.buffer as ArrayBuffer);
    },
    take: () => new Uint8Array(host.take()),
    depthMax: options.depthMax,
    charsMax: options.charsMax,
    sparseLengthMax: options.sparseLengthMax,
    unsendable: new RegExp(options.unsendable),
    views: Object.fromEntries(
      options.viewNames.map((name) => [name, Reflect.get(globalThis, name)]),
    ),
  };
  const codec: GuestCodec = {
    ...parts.valueCodec(side, parts),
    refusalOf: (error) => (isObject(error) ? refusals.get(error) : undefined),
  };
  const calls = parts.guestCalls(host, codec, errors);
  const services = parts.guestServices(host, codec, errors);
  const answers = parts.guestAnswers(host, codec, errors);
  const { ctx } = services;
  let hooks: Hooks = {};

  const globals: [string, unknown][] = [
    ['ctx', ctx],
    ['definePlugin', (setup: unknown) => Object.freeze({ [mark]: setup })],
  ];
  for (const [name, value] of globals) Object.defineProperty(globalThis, name, { value });

  /** The hooks, or a promise of them. */
  const made = (exported: unknown): unknown => {
    if (exported === undefined) {
      throw new TypeError(
        'the script has no default export; write `export default { execute(input, call) { … } }`',
      );
    }
    if (typeof exported === 'function') return { execute: exported };
    if (isObject(exported)) {
      const setup = exported[mark];
      if (typeof setup === 'function') return (setup as (ctx: object) => unknown)(ctx);
      if ('execute' in exported) return exported;
    }
    throw new TypeError(
      'the default export is no plugin; it must come from definePlugin, be a function, or have an `execute` method',
    );
  };

  const adopt = (given: unknown): string[] => {
    if (!isObject(given)) throw new TypeError('the setup function returned no hooks');
    const names = options.hookNames.filter((name) => given[name] !== undefined);
    const wrong = names.find((name) => typeof given[name] !== 'function');
    if (wrong !== undefined) throw new TypeError(`the hook ${wrong} is no function`);
    hooks = given as Hooks;
    return names;
  };

  const settle = (op: number, outcome: () => void): string => {
    try {
      outcome();
    } catch (error) {
      services.fail(op, error);
    }
    return '';
  };

  return {
    describe: (error) => answers.describe(error),
    setup: (ask, module) =>
      answers.give(ask, async () => adopt(await made((await module).default))),
    enter(what, ask, target, text) {
      switch (what) {
        case 'execute': {
          const ended = (): void => {
            calls.end(ask);
          };
          const run = (): unknown => hooks['execute']?.(codec.decode(text), calls.begin(ask));
          return answers.give(ask, run, ended);
        }
        case 'settle':
          return settle(target, () => {
            services.settle(target, codec.decode(text));
          });
        case 'fail':
          return settle(target, () => {
            services.fail(target, errors.raise(codec.decode(text)));
          });
        case 'abort':
          calls.abort(target, errors.raise(codec.decode(text)));
          return '';
        case 'forget':
          // of a call that was stopped: nothing of it ran to its end
          calls.end(target);
          answers.forget(target);
          services.forget(codec.decode(text) as number[]);
          return '';
        case 'pull':
          return answers.give(ask, () => answers.pull(target));
        case 'close':
          return answers.give(ask, () => answers.close(target));
        case 'apply':
          return answers.give(ask, () => services.apply(target, codec.decode(text)));
        case 'identify':
          services.identify(codec.decode(text) as Identity);
          return '';
        case 'revive':
          return answers.give(ask, () => {
            calls.clear();
            answers.clear();
            services.revive();
          });
        default:
          return answers.give(ask, () => hooks[what]?.(codec.decode(text)));
      }
    },
  };
}
