/** Calls that the actor makes: to other plugins, and to the kernel's services. */
import type { CallOptions } from '../plugin.ts';
import { affinityOf, withAffinity } from '../protocol/affinity.ts';
import { ChunkQueue } from '../protocol/chunk-queue.ts';
import { isCodecError } from '../protocol/codec-error.ts';
import {
  carriedBytes,
  decode,
  encode,
  type Payload,
  type PayloadLimits,
} from '../protocol/codec.ts';
import { CreditWindow, streamWindow } from '../protocol/credit-window.ts';
import { PluginError } from '../protocol/errors.ts';
import { failureOf } from '../protocol/failure.ts';
import {
  CANCEL_REASON,
  FLAG,
  KERNEL_ROUTE,
  KIND,
  TIMEOUT_UNSAID,
  type FrameReader,
} from '../protocol/frame.ts';
import {
  OUTBOUND_BYTES_MAX,
  ROUTES_MAX,
  RUNTIME_LIMITS,
  STREAM_CREDIT_CHUNKS,
  type Limits,
} from '../protocol/limits.ts';
import type { ServiceRequest } from '../protocol/messages.ts';
import { timeoutOf } from '../protocol/timeout.ts';
import type { Link, ReturnAddress } from '../transport/link.ts';

export interface OutboundScope {
  readonly pluginId: string;
  readonly limits: Limits;
  readonly link: Link;
  /** The number of the call on whose behalf the current code runs, 0 for none. */
  parent(): number;
  /** A call was written: send it this turn. */
  urge(): void;
}

const KERNEL = 'the kernel';

/** Takes the replies to one call. */
type Hear = (frame: FrameReader) => void;

/** Where the outcome of a call goes. */
export interface Settle {
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

export interface WatchOptions {
  /** 1 for who wants the newest only. */
  creditChunks?: number;
  /** Hears of a chunk that cannot be read here; without it, the stream ends. */
  refused?: (error: Error) => void;
}

interface ReadOptions extends CallOptions {
  credit?: CreditWindow;
  refused?: WatchOptions['refused'];
}

export class Outbound {
  readonly #scope: OutboundScope;
  readonly #routes = new Map<string, number>();
  #isWatchNew = false;
  /** Of the inputs of calls that are open. */
  #openBytes = 0;

  constructor(scope: OutboundScope) {
    this.#scope = scope;
  }

  call(id: string, input: unknown, options: CallOptions = {}): Promise<unknown> {
    return this.#ask(
      id,
      this.#route(id),
      this.#encode(id, input, this.#scope.limits, options.transfer),
      options,
    );
  }

  stream(id: string, input: unknown, options: CallOptions = {}): AsyncIterable<unknown> {
    return this.#read(
      id,
      this.#route(id),
      this.#encode(id, input, this.#scope.limits, options.transfer),
      options,
    );
  }

  /** For who cannot await: what it returns calls the call off. */
  begin(id: string, input: unknown, settle: Settle): () => void {
    const payload = this.#encode(id, input, this.#scope.limits);
    return this.#begin(id, this.#route(id), payload, settle);
  }

  /** The same of a request to the kernel. */
  beginService(request: ServiceRequest, settle: Settle): () => void {
    return this.#begin(KERNEL, KERNEL_ROUTE, this.#encode(KERNEL, request, RUNTIME_LIMITS), settle);
  }

  #begin(id: string, route: number, payload: Payload, settle: Settle): () => void {
    const address = this.#open(id, route, payload, {}, settle);
    return () => {
      this.#signal(KIND.cancel, address, CANCEL_REASON.abort);
    };
  }

  /** Asks the kernel. */
  service(request: ServiceRequest): Promise<unknown> {
    return this.#ask(KERNEL, KERNEL_ROUTE, this.#encode(KERNEL, request, RUNTIME_LIMITS), {});
  }

  /** A stream that the kernel serves. */
  watch(
    request: ServiceRequest,
    { creditChunks = STREAM_CREDIT_CHUNKS, refused }: WatchOptions = {},
  ): AsyncIterable<unknown> & { cancel(): void } {
    this.#isWatchNew = true;
    const payload = this.#encode(KERNEL, request, RUNTIME_LIMITS);
    const credit = new CreditWindow(creditChunks);
    return this.#read(KERNEL, KERNEL_ROUTE, payload, { credit, ...(refused && { refused }) });
  }

  /** Settles when the kernel knows of every stream that was asked for: nothing is missed from then on. */
  async watched(): Promise<void> {
    if (!this.#isWatchNew) return;
    this.#isWatchNew = false;
    await this.service({ op: 'sync' });
  }

  #ask(id: string, route: number, payload: Payload, options: CallOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#open(id, route, payload, options, { resolve, reject });
    });
  }

  #open(
    id: string,
    route: number,
    payload: Payload,
    options: CallOptions,
    settle: Settle,
  ): ReturnAddress {
    const hear: Hear = (frame) => {
      if (frame.kind === KIND.result) this.#settle(id, frame, settle);
      else if (frame.kind === KIND.failure) settle.reject(failureIn(frame, id));
      else if (frame.kind === KIND.skipped) settle.reject(skipped(id));
      else if (frame.kind === KIND.end) settle.resolve(undefined);
    };
    return this.#send(hear, route, payload, 0, options);
  }

  #settle(id: string, frame: FrameReader, { resolve, reject }: Settle): void {
    try {
      resolve(decode(frame, this.#scope.limits));
    } catch (error) {
      reject(this.#refused(id, error));
    }
  }

  #read(
    id: string,
    route: number,
    payload: Payload,
    { credit = streamWindow(), refused, ...options }: ReadOptions,
  ): AsyncIterable<unknown> & { cancel(): void } {
    // credit and cancel refer to the call, which is sent once its chunks have where to go
    const sent: { address?: ReturnAddress } = {};
    const queue = new ChunkQueue<unknown>({
      grant: (chunks) => {
        if (sent.address) this.#signal(KIND.credit, sent.address, chunks);
      },
      cancel: () => {
        if (sent.address) this.#signal(KIND.cancel, sent.address, CANCEL_REASON.abort);
      },
      credit,
    });
    const hear: Hear = (frame) => {
      if (frame.kind === KIND.chunk) this.#push(id, frame, queue, refused);
      else if (frame.kind === KIND.failure) queue.fail(failureIn(frame, id));
      else if (frame.kind === KIND.skipped) queue.fail(skipped(id));
      else if (frame.kind !== KIND.progress) queue.end();
    };
    sent.address = this.#send(hear, route, payload, FLAG.stream, options);
    return queue;
  }

  #push(
    id: string,
    frame: FrameReader,
    queue: ChunkQueue<unknown>,
    refused?: WatchOptions['refused'],
  ): void {
    let chunk: unknown;
    try {
      chunk = decode(frame, this.#scope.limits);
    } catch (error) {
      const why = this.#refused(id, error);
      if (!refused) queue.abandon(why);
      else {
        queue.skip();
        refused(why);
      }
      return;
    }
    queue.push(chunk, carriedBytes(frame));
  }

  /** From now on `hear` is told the replies, and `options.signal` gives the call up until the last of them. */
  #send(
    hear: Hear,
    route: number,
    payload: Payload,
    flags: number,
    options: CallOptions,
  ): ReturnAddress {
    const { link } = this.#scope;
    const bytes = bytesOf(payload);
    if (!link.hasRoom) throw this.#full('too many calls of this plugin are open at once');
    if (this.#openBytes > 0 && this.#openBytes + bytes > OUTBOUND_BYTES_MAX) {
      const max = String(OUTBOUND_BYTES_MAX);
      throw this.#full(`the inputs of this plugin's open calls come to more than ${max} bytes`);
    }
    if (options.signal?.aborted) throw abortedBefore(options.signal);
    const header = {
      route: withAffinity(route, affinityOf(options.affinity)),
      flags: flags | (options.idempotent === true ? FLAG.idempotent : 0),
      timeoutMs: timeoutIn(options),
      parent: this.#scope.parent(),
    };
    const exchange = {
      onReply: (frame: FrameReader): void => {
        if (frame.kind !== KIND.chunk && frame.kind !== KIND.progress) {
          this.#openBytes -= bytes;
          release();
        }
        hear(frame);
      },
    };
    const address = link.call(exchange, header, payload);
    this.#openBytes += bytes;
    const release = this.#onAbort(address, options.signal);
    this.#scope.urge();
    return address;
  }

  #full(what: string): PluginError {
    return new PluginError('MAILBOX_FULL', what, { pluginId: this.#scope.pluginId });
  }

  #onAbort(address: ReturnAddress, signal: AbortSignal | undefined): () => void {
    if (!signal) return nothing;
    const abort = (): void => {
      this.#signal(KIND.cancel, address, CANCEL_REASON.abort);
    };
    signal.addEventListener('abort', abort, { once: true });
    return () => {
      signal.removeEventListener('abort', abort);
    };
  }

  #signal(kind: typeof KIND.credit | typeof KIND.cancel, to: ReturnAddress, detail: number): void {
    this.#scope.link.signal(kind, to, detail);
    this.#scope.urge();
  }

  /** The first call to a plugin names it; later ones carry its number. */
  #route(id: string): number {
    const known = this.#routes.get(id);
    if (known !== undefined) return known;
    if (this.#routes.size >= ROUTES_MAX) {
      throw new PluginError('NO_ROUTE', `calls to more than ${String(ROUTES_MAX)} plugins`);
    }
    const route = this.#routes.size + 1;
    this.#scope.link.tell(KIND.bind, 0, encode(id, RUNTIME_LIMITS), route);
    this.#routes.set(id, route);
    return route;
  }

  #encode(
    id: string,
    input: unknown,
    limits: PayloadLimits,
    moved?: readonly ArrayBuffer[],
  ): Payload {
    try {
      // it is sent at once: what it holds can be lent
      return encode(input, limits, moved, 'borrowed');
    } catch (error) {
      throw this.#refused(id, error);
    }
  }

  #refused(id: string, error: unknown): Error {
    if (!isCodecError(error)) return error instanceof Error ? error : new Error(String(error));
    return new PluginError(error.code, `${id}: ${error.message}`, {
      pluginId: id,
      data: error.data,
    });
  }
}

function failureIn(frame: FrameReader, id: string): Error {
  return failureOf(frame, id, (frame.flags & FLAG.runtime) !== 0);
}

/** In whole milliseconds; what no header can hold is no timeout. */
function timeoutIn({ timeoutMs }: CallOptions): number {
  if (timeoutMs === undefined) return TIMEOUT_UNSAID;
  const whole = Math.ceil(timeoutOf(timeoutMs));
  return whole > 0 && whole < TIMEOUT_UNSAID ? whole : 0;
}

function abortedBefore(signal: AbortSignal): PluginError {
  return new PluginError('CALL_ABORTED', 'the call was aborted before it was made', {
    data: { phase: 'queued' },
    cause: signal.reason,
  });
}

function skipped(id: string): PluginError {
  return new PluginError('CALL_ABORTED', `the call to ${id} was aborted before it began`, {
    pluginId: id,
    data: { phase: 'queued' },
  });
}

function nothing(): void {
  // there is no signal to stop listening to
}

function bytesOf({ frame, attachments }: Payload): number {
  let bytes = frame.byteLength;
  for (const each of attachments) if (each instanceof ArrayBuffer) bytes += each.byteLength;
  return bytes;
}
