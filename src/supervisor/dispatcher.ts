/**
 * Moves a plugin's calls from its mailbox to its actor, and sees to it that every accepted call
 * settles exactly once, whatever happens to the actor meanwhile.
 */
import type { Payload } from '../protocol/codec.ts';
import { PluginError } from '../protocol/errors.ts';
import { CANCEL_REASON, FLAG, KERNEL_ROUTE, KIND } from '../protocol/frame.ts';
import type { PluginPlan } from '../protocol/manifest.ts';
import type { SignalBoard } from '../protocol/signal-board.ts';
import { toWireError } from '../protocol/wire-error.ts';
import type { Link } from '../transport/link.ts';
import { Call, type CallOwner, type CallRequest } from './call.ts';
import { Deadlines } from './deadlines.ts';
import { Mailbox } from './mailbox.ts';
import { Meter, type CallEnd } from './meter.ts';

/** Where calls go while the plugin lives. */
export interface CallTarget {
  readonly generation: number;
  readonly link: Link;
  readonly board: SignalBoard;
}

export interface DispatcherEvents {
  /** A begun call ignored its abort for the whole grace. */
  hang(call: Call): void;
  deadLetter(call: Call, reason: string): void;
}

export class Dispatcher implements CallOwner {
  readonly pluginId: string;
  readonly concurrency: number;
  readonly meter = new Meter();
  readonly #plan: PluginPlan;
  readonly #events: DispatcherEvents;
  readonly #mailbox: Mailbox<Call>;
  readonly #deadlines = new Deadlines();
  #target: CallTarget | undefined;
  #flowing = false;
  #inFlight = 0;

  constructor(plan: PluginPlan, events: DispatcherEvents) {
    this.#plan = plan;
    this.#events = events;
    this.pluginId = plan.metadata.id;
    this.concurrency = plan.concurrency;
    this.#mailbox = new Mailbox(plan.mailbox.capacity);
  }

  /** Calls at the actor that are not yet settled. */
  get inFlight(): number {
    return this.#inFlight;
  }

  get queued(): number {
    return this.#mailbox.length;
  }

  /** Accepts a call: from here on it settles exactly once. */
  accept(request: CallRequest): Call | undefined {
    const now = performance.now();
    const { signal } = request;
    if (signal?.aborted) {
      request.receiver.reject(
        new PluginError(
          'CALL_ABORTED',
          `the call to ${this.pluginId} was aborted before it was made`,
          {
            pluginId: this.pluginId,
            data: { phase: 'queued' },
            cause: signal.reason,
          },
        ),
      );
      return undefined;
    }
    if (this.#mailbox.isFull && this.#plan.mailbox.overflow === 'reject') {
      request.receiver.reject(this.#mailboxFull());
      return undefined;
    }
    const call = new Call(this, request, now);
    this.meter.started++;
    if (request.timeoutMs > 0) this.#deadlines.add(call, request.timeoutMs, now);
    if (this.#canSendNow(request)) this.#send(call);
    else this.#mailbox.push(call);
    return call;
  }

  /** A new life: calls go there once they flow. */
  connect(target: CallTarget): void {
    this.#target = target;
  }

  setFlowing(flowing: boolean): void {
    this.#flowing = flowing;
    if (flowing) this.#pump();
  }

  /**
   * The life is over. Calls that had not begun go back to the front of the mailbox; begun ones
   * are rejected with `error`, or delivered again where they are idempotent.
   */
  disconnect(error: PluginError, how: 'crashed' | 'aborted'): void {
    const target = this.#target;
    this.#target = undefined;
    if (!target) return;
    const back: Call[] = [];
    for (const { exchange, address } of target.link.close()) {
      if (!(exchange instanceof Call)) continue;
      this.#forget(exchange);
      if (exchange.settled) continue;
      const begun = target.board.hasBegun(address.number) || movesBuffers(exchange.request.payload);
      if (!begun) {
        exchange.deliveries--;
        back.push(exchange);
      } else if (how === 'crashed' && this.#mayRedeliver(exchange)) back.push(exchange);
      else this.#endBegun(exchange, error, how);
    }
    for (const call of back) call.address = undefined;
    this.#inFlight -= back.length;
    this.#mailbox.returnToFront(back);
  }

  /** Rejects what waits: in the mailbox, and at the actor where it has not begun. */
  dropWaiting(error: PluginError): void {
    for (const call of this.#mailbox.clear()) call.rejectWith(error, 'aborted');
    const board = this.#target?.board;
    board?.hold({ park: false });
    for (const call of this.#sent()) {
      const { address } = call;
      if (!board || !address || call.settled || board.hasBegun(address.number)) continue;
      if (board.cancel(address.slot, address.number)) {
        // it slipped in just before the gate was held: it may end, or the actor skips it
        board.withdraw(address.slot);
      } else {
        call.cancelled = true;
        this.#target?.link.signal(KIND.cancel, address, CANCEL_REASON.stop);
        call.rejectWith(error, 'aborted');
      }
    }
  }

  /** Cancels calls that stand still at a checkpoint: a paused plugin is to stop. */
  dropBegun(error: PluginError): void {
    for (const call of this.#sent()) this.#drop(call, error);
  }

  /** The reader of a call's stream took chunks. */
  grant(call: Call, chunks: number): void {
    if (call.address && !call.settled) {
      this.#target?.link.signal(KIND.credit, call.address, chunks);
    }
  }

  close(): void {
    this.#deadlines.clear();
  }

  // --- CallOwner ---

  expire(call: Call, code: 'CALL_TIMEOUT' | 'CALL_ABORTED'): void {
    if (call.settled) return;
    const reason = code === 'CALL_TIMEOUT' ? CANCEL_REASON.deadline : CANCEL_REASON.abort;
    const begun = call.address ? this.#cancelAtActor(call, reason) : this.#takeOut(call);
    const phase = begun ? 'running' : 'queued';
    const { timeoutMs } = call.request;
    const message =
      code === 'CALL_TIMEOUT'
        ? `the call to ${this.pluginId} was still ${phase} after ${String(timeoutMs)} ms`
        : `the call to ${this.pluginId} was aborted while ${phase}`;
    const data = code === 'CALL_TIMEOUT' ? { phase, timeoutMs } : { phase };
    call.reject(code, message, code === 'CALL_TIMEOUT' ? 'timedOut' : 'aborted', data);
  }

  abandon(call: Call, error: PluginError): void {
    this.#cancelAtActor(call, CANCEL_REASON.abort);
    call.rejectWith(error, 'failed');
  }

  settled(call: Call, how: CallEnd): void {
    if (call.timer) this.#deadlines.remove(call);
    if (call.address) this.#inFlight--;
    this.meter.ended(how, performance.now() - call.acceptedAt);
  }

  released(call: Call): void {
    this.#forget(call);
    if (this.#flowing && this.#mailbox.length > 0) this.#pump();
  }

  // --- inside ---

  /** The short way past the mailbox, for a plugin that keeps up. */
  #canSendNow(request: CallRequest): boolean {
    return (
      this.#flowing &&
      this.#mailbox.length === 0 &&
      this.#target !== undefined &&
      this.#mayLeave(request, this.#target)
    );
  }

  #mayLeave({ payload }: CallRequest, { link }: CallTarget): boolean {
    // moved buffers can't be sent twice: such a call leaves only when it begins at once
    return link.hasRoom && (!movesBuffers(payload) || link.openCalls < this.concurrency);
  }

  #pump(): void {
    for (let call = this.#mailbox.peek(); call; call = this.#mailbox.peek()) {
      if (!this.#target || !this.#mayLeave(call.request, this.#target)) return;
      this.#mailbox.shift();
      this.#send(call);
    }
  }

  #send(call: Call): void {
    const target = this.#target;
    if (!target) return;
    const { payload, flags, timeoutMs } = call.request;
    const left =
      timeoutMs > 0 ? Math.max(1, Math.ceil(timeoutMs - (performance.now() - call.acceptedAt))) : 0;
    call.deliveries++;
    call.generation = target.generation;
    this.#inFlight++;
    const header = { route: KERNEL_ROUTE, flags, timeoutMs: left, parent: 0 };
    try {
      refuseDetached(payload);
      call.address = target.link.call(call, header, payload);
    } catch (error) {
      this.#inFlight--;
      call.reject(
        'PAYLOAD_INVALID',
        `the input cannot be sent: ${toWireError(error).message}`,
        'failed',
        {},
      );
    }
  }

  #drop(call: Call, error: PluginError): void {
    if (call.settled) return;
    this.#cancelAtActor(call, CANCEL_REASON.stop);
    call.rejectWith(error, 'aborted');
  }

  /** True when it had begun; then the grace runs. False: it never will. */
  #cancelAtActor(call: Call, reason: number): boolean {
    const target = this.#target;
    const { address } = call;
    if (!target || !address) return false;
    const begun = target.board.cancel(address.slot, address.number);
    target.link.signal(KIND.cancel, address, reason);
    if (begun) {
      call.grace ??= setTimeout(() => {
        this.#events.hang(call);
      }, this.#plan.limits.graceMs);
    }
    call.cancelled = true;
    return begun;
  }

  #takeOut(call: Call): false {
    this.#mailbox.remove(call);
    return false;
  }

  /** The actor is done with it, one way or the other. */
  #forget(call: Call): void {
    clearTimeout(call.grace);
    call.grace = undefined;
    if (call.cancelled) this.#target?.board.cancelSettled();
    call.cancelled = false;
  }

  #mayRedeliver(call: Call): boolean {
    const { flags, payload } = call.request;
    const idempotent = (flags & FLAG.idempotent) !== 0 && !movesBuffers(payload);
    return idempotent && call.chunks === 0 && call.deliveries <= this.#plan.restart.redeliver;
  }

  #endBegun(call: Call, error: PluginError, how: 'crashed' | 'aborted'): void {
    const idempotent = (call.request.flags & FLAG.idempotent) !== 0;
    const poison =
      how === 'crashed' && idempotent && call.deliveries > this.#plan.restart.redeliver;
    const data = { ...error.data, deliveries: call.deliveries, deadLetter: poison };
    call.rejectWith(
      new PluginError(error.code, error.message, {
        pluginId: this.pluginId,
        callId: call.id,
        data,
        cause: error.cause,
      }),
      how,
    );
    if (poison) {
      this.meter.deadLetters++;
      this.#events.deadLetter(call, 'its plugin died of it, again');
    }
  }

  *#sent(): Iterable<Call> {
    for (const exchange of this.#target?.link.exchanges() ?? []) {
      if (exchange instanceof Call) yield exchange;
    }
  }

  #mailboxFull(): PluginError {
    const { capacity } = this.#plan.mailbox;
    const remedy = "call less, raise mailbox.capacity, or set mailbox.overflow to 'wait'";
    return new PluginError(
      'MAILBOX_FULL',
      `the mailbox of ${this.pluginId} is full (${String(capacity)} calls); ${remedy}`,
      { pluginId: this.pluginId, data: { capacity } },
    );
  }
}

/** Shared memory can be sent again, a moved buffer cannot. */
function movesBuffers({ attachments }: Payload): boolean {
  return attachments.some((attachment) => attachment instanceof ArrayBuffer);
}

/** A buffer that another call has moved meanwhile would arrive empty, and nobody would know. */
function refuseDetached({ attachments }: Payload): void {
  for (const attachment of attachments) {
    // slicing throws for one that is detached; `ArrayBuffer.detached` is not on every Node
    if (attachment instanceof ArrayBuffer) attachment.slice(0, 0);
  }
}
