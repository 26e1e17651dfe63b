/** What the kernel does for an actor that asks: shared state, events, locks, shared memory. */
import { bodyOf, decode, encode, type Payload } from '../protocol/codec.ts';
import { PluginError } from '../protocol/errors.ts';
import { KIND } from '../protocol/frame.ts';
import { DEFAULT_LIMITS, RUNTIME_LIMITS } from '../protocol/limits.ts';
import type { ServiceRequest } from '../protocol/messages.ts';
import type { HttpRequest } from '../protocol/wasm.ts';
import type { EventHub } from './event-hub.ts';
import { sendHttp } from './http.ts';
import type { Locks } from './locks.ts';
import { ServedStream } from './served-stream.ts';
import { asPluginError, type Inbound, type ReturnTo, type Session } from './session.ts';
import type { SharedMemory } from './shared-memory.ts';
import type { StateStore } from './state-store.ts';

export interface Services {
  state: StateStore;
  events: EventHub;
  locks: Locks;
  memory: SharedMemory;
}

const NOTHING = encode(undefined, DEFAULT_LIMITS);

/** Answers one request of an actor. What it returns stays open: a stream. */
export function serve(
  services: Services,
  session: Session,
  asked: unknown,
  to: ReturnTo,
): Inbound | undefined {
  const { state, events, locks, memory } = services;
  const { link, caller } = session;
  const request = asRequest(asked);
  const answer = (value: unknown): undefined => {
    link.reply(KIND.result, to, encode(value, RUNTIME_LIMITS));
  };
  switch (request.op) {
    case 'state.get':
      link.reply(KIND.result, to, state.payload(request.key) ?? NOTHING);
      return undefined;
    case 'state.read': {
      answer({ value: state.get(request.key), version: state.version(request.key) });
      return;
    }
    case 'state.set':
      state.set(request.key, request.value);
      {
        answer(undefined);
        return;
      }
    case 'state.swap': {
      answer(state.swap(request.key, request.value, request.version));
      return;
    }
    case 'state.delete': {
      answer(state.delete(request.key));
      return;
    }
    case 'state.keys': {
      answer(state.keys());
      return;
    }
    case 'state.watch':
      return watch(state, request.key, new ServedStream({ link, to, keep: 'newest' }));
    case 'events.emit':
      events.emit({ topic: request.topic, data: request.data, from: caller.id, at: Date.now() });
      {
        answer(undefined);
        return;
      }
    case 'events.on':
      return subscribe(events, request.topic, new ServedStream({ link, to, keep: 'all' }));
    case 'lock.acquire':
      locks.acquire(request.name, link, request.timeoutMs).then(answer, (error: unknown) => {
        session.refuse(to, asPluginError(error));
      });
      return undefined;
    case 'lock.release':
      locks.release(request.token, link);
      {
        answer(undefined);
        return;
      }
    case 'http': {
      const gone = new AbortController();
      sendHttp(caller.plan, request.request, gone.signal)
        .then((value) => {
          session.settled(to);
          answer(value);
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
    }
    case 'shared': {
      if (caller.plan.isolation === 'process') throw noSharedMemory(caller.id);
      answer(memory.get(request.name, request.byteLength));
      return;
    }
  }
}

function noSharedMemory(pluginId: string): PluginError {
  const what = `${pluginId} runs in a process of its own, which shares no memory: use isolation 'thread', or ctx.state`;
  return new PluginError('INVALID_STATE', what, { pluginId });
}

function watch(state: StateStore, key: string, stream: ServedStream): Inbound {
  stream.push(state.payload(key) ?? NOTHING);
  const stop = state.onChange(key, (payload) => {
    stream.push(payload ?? NOTHING);
  });
  return inbound(stream, stop);
}

function subscribe(events: EventHub, topic: string, stream: ServedStream): Inbound {
  const stop = events.subscribe(topic, (event) => {
    stream.push(encode(event, RUNTIME_LIMITS));
  });
  return inbound(stream, stop);
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
function asRequest(value: unknown): ServiceRequest {
  if (typeof value === 'object' && value !== null && 'op' in value) {
    const { op } = value;
    const names: unknown[] = ['key', 'topic', 'name'].flatMap((field) =>
      field in value ? [(value as Record<string, unknown>)[field]] : [],
    );
    const isHttp = op !== 'http' || ('request' in value && isHttpRequest(value.request));
    const isNamed = names.every((name) => typeof name === 'string');
    if (typeof op === 'string' && OPS.has(op) && isNamed && isHttp) {
      return value as ServiceRequest;
    }
  }
  throw new PluginError('PAYLOAD_INVALID', 'no such request to the kernel');
}

const OPS = new Set<string>([
  'state.get',
  'state.read',
  'state.set',
  'state.swap',
  'state.delete',
  'state.keys',
  'state.watch',
  'events.emit',
  'events.on',
  'lock.acquire',
  'lock.release',
  'http',
  'shared',
]);

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
