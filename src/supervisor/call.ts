/**
 * One accepted call, from acceptance until it is settled and its slot at the actor is free. It
 * knows neither who asked (its receiver does) nor when to be sent (the dispatcher does).
 */
import type { Body, Payload } from '../protocol/codec.ts';
import { PluginError, type ErrorCode } from '../protocol/errors.ts';
import { FLAG, KIND, type FrameReader } from '../protocol/frame.ts';
import type { Exchange, ReturnAddress } from '../transport/link.ts';
import type { Timed } from './deadlines.ts';
import type { CallEnd } from './meter.ts';

/** Who asked: a promise or a stream of the embedding program, or another actor's link. */
export interface Receiver {
  /** The result's bytes; valid during the call only. Throws where they can't be decoded. */
  result(body: Body): void;
  /** What the plugin threw, encoded. `fromRuntime`: it is a PluginError already. */
  failure(body: Body, fromRuntime: boolean): void;
  chunk(body: Body): void;
  end(): void;
  progress(body: Body, call: Call): void;
  /** The runtime itself ends the call. */
  reject(error: PluginError): void;
}

export interface CallRequest {
  payload: Payload;
  receiver: Receiver;
  /** FLAG.stream, FLAG.idempotent. */
  flags: number;
  /** 0 = none. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** The call on whose behalf this one is made. */
  parent?: Call | undefined;
  /** Calls of the same number go to the same replica; 0 = none (protocol/affinity.ts). */
  affinity?: number;
}

/** What a call tells its dispatcher. */
export interface CallOwner {
  readonly pluginId: string;
  /** One call may be waited for by another: at concurrency 1 a cycle would hang. */
  readonly concurrency: number;
  /** Which of the plugin's replicas it is, where it has any. */
  readonly replica: number | undefined;
  /** The reader of a call's stream took chunks. */
  grant(call: Call, chunks: number): void;
  /** The deadline passed, or the caller gave up. */
  expire(call: Call, code: 'CALL_TIMEOUT' | 'CALL_ABORTED'): void;
  /** What the actor sent is no use: the call ends, and the actor is told to leave it. */
  abandon(call: Call, error: PluginError): void;
  /** Settled for the first time; `at` by performance.now(). */
  settled(call: Call, how: CallEnd, at: number): void;
  /** An answer to a call that was settled before. */
  late(): void;
  /** The actor left it aside, though nobody wants that any more. */
  skipped(call: Call): void;
  /** The actor is done with it. */
  released(call: Call): void;
}

export class Call implements Exchange, Timed {
  /** Changes when the call goes from one replica to another, before it begins. */
  owner: CallOwner;
  readonly request: CallRequest;
  readonly acceptedAt: number;
  /** What it holds while it is open: its input, and what it takes itself. */
  readonly bytes: number;
  slot: Timed['slot'];
  dueAt = 0;
  previous: Timed | undefined;
  next: Timed | undefined;
  /** Where it is at the actor, once sent. */
  address: ReturnAddress | undefined;
  generation = 0;
  deliveries = 0;
  chunks = 0;
  settled = false;
  /** The actor was told to leave it. */
  cancelled = false;
  /** It may be skipped, though it was not cancelled in the end. */
  slipped = false;
  /** Cancelled while it ran: ends the thread when the grace is over. */
  grace: NodeJS.Timeout | undefined;
  readonly #onAbort: (() => void) | undefined;

  constructor(owner: CallOwner, request: CallRequest, acceptedAt: number, bytes: number) {
    this.owner = owner;
    this.request = request;
    this.acceptedAt = acceptedAt;
    this.bytes = bytes;
    if (request.signal) {
      this.#onAbort = () => {
        this.owner.expire(this, 'CALL_ABORTED');
      };
      request.signal.addEventListener('abort', this.#onAbort, { once: true });
    }
  }

  get id(): string {
    const number = this.address ? String(this.address.number) : 'queued';
    return `${this.owner.pluginId}-${String(this.generation)}-${number}`;
  }

  onDeadline(): void {
    this.owner.expire(this, 'CALL_TIMEOUT');
  }

  /** The replies of the actor, in order. */
  onReply(frame: FrameReader, arrivedAt: number): void {
    if (frame.kind === KIND.chunk) {
      this.chunks++;
      const refused = this.settled ? undefined : this.#attempt(frame);
      if (refused) this.owner.abandon(this, refused);
      return;
    }
    if (frame.kind === KIND.progress) {
      if (!this.settled) this.#attempt(frame);
      return;
    }
    if (!this.settled) this.#end(frame, arrivedAt);
    else if (frame.kind !== KIND.skipped) this.owner.late();
    this.owner.released(this);
  }

  #end(frame: FrameReader, arrivedAt: number): void {
    const { receiver } = this.request;
    if (frame.kind === KIND.result) {
      const refused = this.#attempt(frame);
      if (refused) this.rejectWith(refused, 'failed');
      else this.#settle('succeeded', arrivedAt);
    } else if (frame.kind === KIND.end) {
      this.#settle('succeeded', arrivedAt);
      receiver.end();
    } else if (frame.kind === KIND.failure) {
      this.#settle('failed', arrivedAt);
      receiver.failure(frame, (frame.flags & FLAG.runtime) !== 0);
    } else if (this.slipped) this.owner.skipped(this);
    else {
      const { pluginId } = this.owner;
      const message = `${pluginId} was stopped before the call began`;
      this.reject('PLUGIN_STOPPED', message, 'aborted', { phase: 'queued' });
    }
  }

  /** Ends the call from our side; false when it was settled already. */
  reject(code: ErrorCode, message: string, how: CallEnd, data: Record<string, unknown>): boolean {
    if (!this.#settle(how)) return false;
    const { pluginId } = this.owner;
    this.request.receiver.reject(
      new PluginError(code, message, { pluginId, callId: this.id, data }),
    );
    return true;
  }

  rejectWith(error: PluginError, how: CallEnd): boolean {
    if (!this.#settle(how)) return false;
    this.request.receiver.reject(error);
    return true;
  }

  #settle(how: CallEnd, at = performance.now()): boolean {
    if (this.settled) return false;
    this.settled = true;
    if (this.#onAbort) this.request.signal?.removeEventListener('abort', this.#onAbort);
    this.owner.settled(this, how, at);
    return true;
  }

  /** A reply that can't be decoded is the plugin's fault, and this call's alone. */
  #attempt(frame: FrameReader): PluginError | undefined {
    const { receiver } = this.request;
    try {
      if (frame.kind === KIND.result) receiver.result(frame);
      else if (frame.kind === KIND.chunk) receiver.chunk(frame);
      else receiver.progress(frame, this);
      return undefined;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const { pluginId } = this.owner;
      return new PluginError('PAYLOAD_INVALID', `${pluginId} answered with ${message}`, {
        pluginId,
        callId: this.id,
        cause: error,
      });
    }
  }
}

/** What an input holds here; shared memory is there in any case. */
export function bytesOf({ frame, attachments }: Payload): number {
  let bytes = frame.byteLength;
  for (const attachment of attachments) {
    if (attachment instanceof ArrayBuffer) bytes += attachment.byteLength;
  }
  return bytes;
}

/** Shared memory can be sent again, a moved buffer cannot. */
export function movesBuffers({ flags, attachments }: Payload): boolean {
  if ((flags & FLAG.apart) !== 0) return false;
  return attachments.some((attachment) => attachment instanceof ArrayBuffer);
}

/** A buffer that another call has moved meanwhile would arrive empty, and nobody would know. */
export function refuseDetached({ attachments }: Payload): void {
  for (const attachment of attachments) {
    // slicing throws for one that is detached; `ArrayBuffer.detached` is not on every Node
    if (attachment instanceof ArrayBuffer) attachment.slice(0, 0);
  }
}
