/** What the kernel does for an actor that asks: shared state, events, locks, shared memory, who else is there. */
import { bodyOf, decode, encode, type Payload } from '../protocol/codec.ts';
import { PluginError } from '../protocol/errors.ts';
import { KIND } from '../protocol/frame.ts';
import { DEFAULT_LIMITS, RUNTIME_LIMITS } from '../protocol/limits.ts';
import type { ServiceRequest } from '../protocol/messages.ts';
import type { HttpRequest } from '../protocol/wasm.ts';
import type { EventHub } from './event-hub.ts';
import { sendHttp } from './http.ts';
import type { Locks } from './locks.ts';
import type { Registry } from './registry.ts';
import { ServedStream } from './served-stream.ts';
import { asPluginError, type Inbound, type ReturnTo, type Session } from './session.ts';
import type { SharedMemory } from './shared-memory.ts';
import type { StateStore } from './state-store.ts';

export interface Services {
  state: StateStore;
  events: EventHub;
  locks: Locks;
  memory: SharedMemory;
  registry: Registry;
}

/** One request of an actor. */
interface Asking {
  services: Services;
  session: Session;
  to: ReturnTo;
}

type Op = ServiceRequest['op'];
type RequestOf<O extends Op> = Extract<ServiceRequest, { op: O }>;

/** Answers one request of an actor. What it returns stays open: a stream, or what can be cancelled. */
export function serve(
  services: Services,
  session: Session,
  asked: unknown,
  to: ReturnTo,
): Inbound | undefined {
  const asking = { services, session, to };
  const request = asRequest(asked);
  if (isServed(request)) return open(request, asking);
  const value = answer(request, asking);
  if (!(value instanceof Promise)) {
    reply(asking, value);
    return undefined;
  }
  value
    .then((late) => {
      reply(asking, late);
    })
    .catch((error: unknown) => {
      session.refuse(to, asPluginError(error));
    });
  return undefined;
}

/** Requests with one value, or a promise of one, for an answer. */
type Answers = { [O in Op]?: (request: RequestOf<O>, asking: Asking) => unknown };

const ANSWERS = {
  'state.read': ({ key }, { services: { state } }) => ({
    value: state.get(key),
    version: state.version(key),
  }),
  'state.set': ({ key, value }, { services }) => {
    services.state.set(key, value);
  },
  'state.swap': ({ key, value, version }, { services }) => services.state.swap(key, value, version),
  'state.delete': ({ key }, { services }) => services.state.delete(key),
  'state.keys': (_, { services }) => services.state.keys(),
  'events.emit': ({ topic, data }, { services, session }) => {
    services.events.emit({ topic, data, from: session.caller.id, at: Date.now() });
  },
  'lock.acquire': ({ name, timeoutMs }, { services, session }) =>
    services.locks.acquire(name, session.link, timeoutMs),
  'lock.release': ({ token }, { services, session }) => {
    services.locks.release(token, session.link);
  },
  'shared': ({ name, byteLength }, { services, session: { caller } }) => {
    if (caller.plan.isolation === 'process') throw noSharedMemory(caller.id);
    return services.memory.get(name, byteLength);
  },
  'sync': () => undefined,
  'plugins.list': (_, { services }) => services.registry.list(),
  'plugins.stats': (_, { services }) => services.registry.ask((keeper) => keeper.stats()),
} satisfies Answers;

/** Requests that reply by themselves. */
type Opens = { [O in Op]?: (request: RequestOf<O>, asking: Asking) => Inbound | undefined };

const OPENS = {
  // as it was encoded when it was set
  'state.get': ({ key }, { services, session, to }) => {
    session.link.reply(KIND.result, to, services.state.payload(key) ?? NOTHING);
    return undefined;
  },
  'state.watch': ({ key }, { services: { state }, session: { link }, to }) => {
    const stream = new ServedStream({ link, to, keep: 'newest' });
    stream.push(state.payload(key) ?? NOTHING);
    const stop = state.onChange(key, (payload) => {
      stream.push(payload ?? NOTHING);
    });
    return inbound(stream, stop);
  },
  'events.on': ({ topic }, { services, session: { link }, to }) => {
    const stream = new ServedStream({ link, to, keep: 'all' });
    const stop = services.events.subscribe(topic, (event) => {
      stream.push(encode(event, RUNTIME_LIMITS));
    });
    return inbound(stream, stop);
  },
  'http': ({ request }, asking) => {
    const { session, to } = asking;
    const gone = new AbortController();
    sendHttp(session.caller.plan, request, gone.signal)
      .then((value) => {
        session.settled(to);
        reply(asking, value);
      })
      .catch((error: unknown) => {
        session.refuse(to, asPluginError(error));
      });
    return {
      cancel() {
        gone.abort();
      },
      grant: () => undefined,
    };
  },
} satisfies Opens;

type OpenRequest = RequestOf<keyof typeof OPENS>;
type AnswerRequest = RequestOf<keyof typeof ANSWERS>;

function isServed(request: AnswerRequest | OpenRequest): request is OpenRequest {
  return Object.hasOwn(OPENS, request.op);
}

// the compiler does not see that the op and the request that a table hands on belong together
function open(request: OpenRequest, asking: Asking): Inbound | undefined {
  const run = OPENS[request.op] as (of: OpenRequest, asking: Asking) => Inbound | undefined;
  return run(request, asking);
}

function answer(request: AnswerRequest, asking: Asking): unknown {
  const run = ANSWERS[request.op] as (of: AnswerRequest, asking: Asking) => unknown;
  return run(request, asking);
}

const NOTHING = encode(undefined, DEFAULT_LIMITS);

function reply({ session, to }: Asking, value: unknown): void {
  session.link.reply(KIND.result, to, encode(value, RUNTIME_LIMITS));
}

function noSharedMemory(pluginId: string): PluginError {
  const what = `${pluginId} runs in a process of its own, which shares no memory: use isolation 'thread', or ctx.state`;
  return new PluginError('INVALID_STATE', what, { pluginId });
}

function inbound(stream: ServedStream, stop: () => void): Inbound {
  return {
    cancel() {
      stop();
      stream.end();
    },
    grant(chunks) {
      stream.grant(chunks);
    },
  };
}

/** Requests come from our own code in the actor; a plugin that forges one gets an error. */
function asRequest(value: unknown): AnswerRequest | OpenRequest {
  if (typeof value === 'object' && value !== null && 'op' in value) {
    const { op } = value;
    const names: unknown[] = ['key', 'topic', 'name'].flatMap((field) =>
      field in value ? [(value as Record<string, unknown>)[field]] : [],
    );
    const isHttp = op !== 'http' || ('request' in value && isHttpRequest(value.request));
    const isNamed = names.every((name) => typeof name === 'string');
    const isKnown =
      typeof op === 'string' && (Object.hasOwn(ANSWERS, op) || Object.hasOwn(OPENS, op));
    if (isKnown && isNamed && isHttp) return value as AnswerRequest | OpenRequest;
  }
  throw new PluginError('PAYLOAD_INVALID', 'no such request to the kernel');
}

function isHttpRequest(value: unknown): value is HttpRequest {
  if (typeof value !== 'object' || value === null) return false;
  const { url, method, headers, body } = value as Record<string, unknown>;
  return (
    typeof url === 'string' &&
    typeof method === 'string' &&
    typeof headers === 'object' &&
    headers !== null &&
    Object.values(headers).every((header) => typeof header === 'string') &&
    (body === undefined || body instanceof Uint8Array)
  );
}

/** The value of a payload that was made here. */
export function valueOf(payload: Payload | undefined): unknown {
  return payload && decode(bodyOf(payload), DEFAULT_LIMITS);
}
