/**
 * Moves a plugin's calls from its mailbox to its actor, and sees to it that every accepted call
 * settles exactly once, whatever happens to the actor meanwhile.
 */
import { keepable, type Payload } from '../protocol/codec.ts';
import { PluginError } from '../protocol/errors.ts';
import { CANCEL_REASON, FLAG, KERNEL_ROUTE, KIND } from '../protocol/frame.ts';
import { CALL_BYTES, WINDOW_BYTES } from '../protocol/limits.ts';
import type { PluginPlan } from '../protocol/manifest.ts';
import type { DeadLetter, DeadLetterReason } from '../protocol/report.ts';
import { toWireError } from '../protocol/wire-error.ts';
import type { CallCarrier, CallTarget } from './call-target.ts';
import { bytesOf, Call, movesBuffers, type CallOwner, type CallRequest } from './call.ts';
import { DeadLetters } from './dead-letters.ts';
import { Deadlines } from './deadlines.ts';
import { Mailbox, type MailboxBound } from './mailbox.ts';
import { Meter, type CallEnd } from './meter.ts';

export interface DispatcherEvents {
  /** A begun call ignored its abort for the whole grace. */
  hang(call: Call): void;
  deadLetter(letter: DeadLetter): void;
}

export class Dispatcher implements CallOwner {
  readonly pluginId: string;
  readonly concurrency: number;
  readonly meter = new Meter();
  readonly deadLetters: DeadLetters;
  readonly #plan: PluginPlan;
  readonly #events: DispatcherEvents;
  readonly #mailbox: Mailbox<Call>;
  readonly #deadlines = new Deadlines();
  #target: CallTarget | undefined;
  #flowing = false;
  #inFlight = 0;
  #bytesAtActor = 0;

  constructor(plan: PluginPlan, events: DispatcherEvents) {
    this.#plan = plan;
    this.#events = events;
    this.pluginId = plan.metadata.id;
    this.concurrency = plan.concurrency;
    this.#mailbox = new Mailbox(plan.mailbox);
    this.deadLetters = new DeadLetters(plan.limits);
  }

  /** Calls at the actor that are not yet settled. */
  get inFlight(): number {
    return this.#inFlight;
  }

  get queued(): number {
    return this.#mailbox.length;
  }

  /** Answers that nobody waited for any more. */
  get lateReplies(): number {
    return this.meter.lateReplies + (this.#target?.link.lateReplies ?? 0);
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
    const bytes = CALL_BYTES + bytesOf(request.payload);
    const broken = this.#mailbox.wouldBreak(bytes);
    if (broken && (broken === 'bytesMax' || this.#plan.mailbox.overflow === 'reject')) {
      request.receiver.reject(this.#mailboxFull(broken));
      return undefined;
    }
    const call = new Call(this, request, now, bytes);
    this.meter.started++;
    if (request.timeoutMs > 0) this.#deadlines.add(call, request.timeoutMs, now);
    if (this.#canSendNow(call)) this.#send(call);
    else {
      // a frame that lies in a batch, or among those of other calls, would keep all of it
      request.payload = keepable(request.payload);
      this.#mailbox.push(call);
      this.#tellDemand();
    }
    return call;
  }

  /** A new life: calls go there once they flow. */
  connect(target: CallTarget): void {
    this.#target = target;
  }

  setFlowing(flowing: boolean): void {
    this.#flowing = flowing;
    if (flowing) this.#pump();
    this.#tellDemand();
  }

  /** The target has room that no answer made. */
  roomMade(): void {
    if (this.#flowing) this.#pump();
    this.#tellDemand();
  }

  /**
   * The life is over. Calls that had not begun go back to the front of the mailbox; begun ones
   * are rejected with `error`, or delivered again where they are idempotent.
   */
  disconnect(error: PluginError, how: 'crashed' | 'aborted'): void {
    const target = this.#target;
    this.#target = undefined;
    if (!target) return;
    this.#sortOut(target, error, how);
  }

  /** A part of the target is over, as in {@link disconnect}, and the rest goes on. */
  lose(part: CallCarrier, error: PluginError, how: 'crashed' | 'aborted'): void {
    this.#sortOut(part, error, how);
    this.roomMade();
  }

  #sortOut({ link, board }: CallCarrier, error: PluginError, how: 'crashed' | 'aborted'): void {
    this.meter.lateReplies += link.lateReplies;
    const back: Call[] = [];
    for (const { exchange, address } of link.close()) {
      if (!(exchange instanceof Call)) continue;
      this.#bytesAtActor -= exchange.bytes;
      this.#forget(exchange);
      if (exchange.settled) continue;
      const begun = board.hasBegun(address.number) || movesBuffers(exchange.request.payload);
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

  /**
   * Rejects what waits: in the mailbox, and at the actor where it has not begun.
   *
   * @param reason makes dead letters of them: nobody asked for this end.
   */
  dropWaiting(error: PluginError, reason?: DeadLetterReason): void {
    for (const call of this.#mailbox.clear()) {
      const rejected = call.rejectWith(error, 'aborted');
      if (rejected && reason) this.#bury(call, reason, error);
    }
    const board = this.#target?.board;
    board?.hold({ park: false });
    for (const call of this.#sent()) {
      const { address } = call;
      if (!board || !address || call.settled || board.hasBegun(address.number)) continue;
      if (board.cancel(address.slot, address.number)) {
        // it slipped in just before the gate was held: it may end, or the actor skips it
        board.withdraw(address.slot, address.number);
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

  settled(call: Call, how: CallEnd, at: number): void {
    if (call.timer) this.#deadlines.remove(call);
    if (call.address) this.#inFlight--;
    this.meter.ended(how, at - call.acceptedAt);
  }

  late(): void {
    this.meter.lateReplies++;
  }

  released(call: Call): void {
    this.#forget(call);
    this.#bytesAtActor -= call.bytes;
    if (this.#flowing && this.#mailbox.length > 0) this.#pump();
    this.#tellDemand();
  }

  // --- inside ---

  #tellDemand(): void {
    this.#target?.demand?.(this.#flowing ? this.#mailbox.length : 0);
  }

  /** The short way past the mailbox, for a plugin that keeps up. */
  #canSendNow(call: Call): boolean {
    return (
      this.#flowing &&
      this.#mailbox.length === 0 &&
      this.#target !== undefined &&
      this.#mayLeave(call, this.#target)
    );
  }

  #mayLeave({ bytes, request }: Call, { link }: CallTarget): boolean {
    const fits = this.#bytesAtActor === 0 || this.#bytesAtActor + bytes <= WINDOW_BYTES;
    if (!fits || !link.hasRoom) return false;
    // moved buffers can't be sent twice: such a call leaves only when it begins at once
    return !movesBuffers(request.payload) || link.openCalls < this.concurrency;
  }

  #pump(): void {
    for (let call = this.#mailbox.peek(); call; call = this.#mailbox.peek()) {
      if (!this.#target || !this.#mayLeave(call, this.#target)) return;
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
    this.#bytesAtActor += call.bytes;
    const header = { route: KERNEL_ROUTE, flags, timeoutMs: left, parent: 0 };
    try {
      refuseDetached(payload);
      call.address = target.link.call(call, header, payload);
    } catch (error) {
      this.#inFlight--;
      this.#bytesAtActor -= call.bytes;
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
    if (call.cancelled && call.address) {
      this.#target?.board.cancelSettled(call.address.number);
    }
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
    const { code, message, cause } = error;
    const callId = call.id;
    call.rejectWith(
      new PluginError(code, message, { pluginId: this.pluginId, callId, data, cause }),
      how,
    );
    if (poison) this.#bury(call, 'poison', error);
  }

  #bury(call: Call, reason: DeadLetterReason, error: PluginError): void {
    this.#events.deadLetter(this.deadLetters.add(call, reason, error));
  }

  *#sent(): Iterable<Call> {
    for (const exchange of this.#target?.link.exchanges() ?? []) {
      if (exchange instanceof Call) yield exchange;
    }
  }

  #mailboxFull(bound: MailboxBound): PluginError {
    const max = this.#plan.mailbox[bound];
    const [what, remedy] =
      bound === 'capacity'
        ? ['calls', "raise mailbox.capacity, or set mailbox.overflow to 'wait'"]
        : ['bytes', 'send smaller inputs, or raise mailbox.bytesMax'];
    return new PluginError(
      'MAILBOX_FULL',
      `the mailbox of ${this.pluginId} is full (${bound}: ${String(max)} ${what}); call less, ${remedy}`,
      { pluginId: this.pluginId, data: { [bound]: max } },
    );
  }
}

/** A buffer that another call has moved meanwhile would arrive empty, and nobody would know. */
function refuseDetached({ attachments }: Payload): void {
  for (const attachment of attachments) {
    // slicing throws for one that is detached; `ArrayBuffer.detached` is not on every Node
    if (attachment instanceof ArrayBuffer) attachment.slice(0, 0);
  }
}
