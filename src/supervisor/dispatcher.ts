/**
 * Moves a plugin's calls from its mailbox to its actor, and sees to it that every accepted call
 * settles exactly once, whatever happens to the actor meanwhile.
 */
import { keepable } from '../protocol/codec.ts';
import type { PluginError } from '../protocol/errors.ts';
import { CANCEL_REASON, KERNEL_ROUTE, KIND } from '../protocol/frame.ts';
import { CALL_BYTES, WINDOW_BYTES } from '../protocol/limits.ts';
import type { PluginPlan } from '../protocol/manifest.ts';
import type { DeadLetter, DeadLetterReason } from '../protocol/report.ts';
import { toWireError } from '../protocol/wire-error.ts';
import type { CallCarrier, CallTarget } from './call-target.ts';
import {
  bytesOf,
  Call,
  movesBuffers,
  refuseDetached,
  type CallOwner,
  type CallRequest,
} from './call.ts';
import { DeadLetters } from './dead-letters.ts';
import { Deadlines } from './deadlines.ts';
import { Mailbox } from './mailbox.ts';
import { Meter, type CallEnd } from './meter.ts';
import { recall, recallable } from './recall.ts';
import { begunError, isPoison, mayRedeliver } from './redelivery.ts';
import { abortedBefore, mailboxFull } from './refusals.ts';

export interface DispatcherEvents {
  /** A begun call ignored its abort for the whole grace. */
  hang(call: Call): void;
  deadLetter(letter: DeadLetter): void;
}

/** What the replicas of one plugin have in common, so that a call may go from one to another. */
export interface DispatcherShare {
  readonly replica: number;
  readonly deadlines: Deadlines;
  readonly deadLetters: DeadLetters;
}

export class Dispatcher implements CallOwner {
  readonly pluginId: string;
  readonly replica: number | undefined;
  readonly concurrency: number;
  readonly meter = new Meter();
  readonly deadLetters: DeadLetters;
  readonly #plan: PluginPlan;
  readonly #events: DispatcherEvents;
  readonly #mailbox: Mailbox<Call>;
  readonly #deadlines: Deadlines;
  #target: CallTarget | undefined;
  #flowing = false;
  #inFlight = 0;
  #bytesAtActor = 0;
  /** Calls that were taken back from the actor, which has not skipped them yet. */
  #recalled = 0;

  constructor(plan: PluginPlan, events: DispatcherEvents, share?: DispatcherShare) {
    this.#plan = plan;
    this.#events = events;
    this.pluginId = plan.metadata.id;
    this.concurrency = plan.concurrency;
    this.#mailbox = new Mailbox(plan.mailbox);
    this.replica = share?.replica;
    this.#deadlines = share?.deadlines ?? new Deadlines();
    this.deadLetters = share?.deadLetters ?? new DeadLetters(plan.limits);
  }

  /** Calls at the actor that are not yet settled. */
  get inFlight(): number {
    return this.#inFlight;
  }

  get queued(): number {
    return this.#mailbox.length;
  }

  /** Calls that keep the actor busy or wait for it, also those whose caller gave up. */
  get load(): number {
    return (this.#target?.link.openCalls ?? 0) - this.#recalled + this.#mailbox.length;
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
      request.receiver.reject(abortedBefore(this.pluginId, signal));
      return undefined;
    }
    const bytes = CALL_BYTES + bytesOf(request.payload);
    const broken = this.#mailbox.wouldBreak(bytes);
    if (broken && (broken === 'bytesMax' || this.#plan.mailbox.overflow === 'reject')) {
      request.receiver.reject(mailboxFull(this.pluginId, this.#plan.mailbox, broken));
      return undefined;
    }
    const call = new Call(this, request, now, bytes);
    this.meter.started++;
    if (request.timeoutMs > 0) this.#deadlines.add(call, request.timeoutMs, now);
    this.#enter(call);
    return call;
  }

  /** Whether a call of another replica may wait here. */
  hasRoomFor({ bytes }: Call): boolean {
    return this.#mailbox.wouldBreak(bytes) === undefined;
  }

  /** Takes over a call that another replica gave away. */
  adopt(call: Call): void {
    call.owner = this;
    this.meter.started++;
    this.#enter(call);
  }

  /**
   * Gives away calls that have not begun; they are nobody's until they are adopted. Those in the
   * mailbox first, the oldest before the others; then those at the actor, the last one first.
   */
  give(max: number, mayGo: (call: Call) => boolean): Call[] {
    const given = this.#mailbox.take(max, mayGo);
    const target = given.length < max ? this.#target : undefined;
    if (target) {
      for (const call of recallable(this.#sent(), mayGo)) {
        if (given.length === max || !this.#recall(call, target)) break;
        given.push(call);
      }
    }
    this.meter.started -= given.length;
    return given;
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
    this.#bytesAtActor = 0;
    this.#recalled = 0;
  }

  /** A part of the target is over, as in {@link disconnect}, and the rest goes on. */
  lose(part: CallCarrier, error: PluginError, how: 'crashed' | 'aborted'): void {
    this.#sortOut(part, error, how);
    this.roomMade();
  }

  #sortOut({ link, board }: CallCarrier, error: PluginError, how: 'crashed' | 'aborted'): void {
    this.meter.lateReplies += link.lateReplies;
    const { redeliver } = this.#plan.restart;
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
      } else if (how === 'crashed' && mayRedeliver(exchange, redeliver)) back.push(exchange);
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
      call.slipped = false;
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
    for (const call of this.#sent()) {
      if (call.settled) continue;
      this.#cancelAtActor(call, CANCEL_REASON.stop);
      call.rejectWith(error, 'aborted');
    }
  }

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
    const begun = call.address !== undefined && this.#cancelAtActor(call, reason);
    if (!call.address) this.#mailbox.remove(call);
    const phase = begun ? 'running' : 'queued';
    if (code === 'CALL_TIMEOUT') {
      const { timeoutMs } = call.request;
      const what = `the call to ${this.pluginId} was still ${phase} after ${String(timeoutMs)} ms`;
      call.reject(code, what, 'timedOut', { phase, timeoutMs });
    } else {
      const what = `the call to ${this.pluginId} was aborted while ${phase}`;
      call.reject(code, what, 'aborted', { phase });
    }
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

  late(): void {
    this.meter.lateReplies++;
  }

  skipped(call: Call): void {
    this.#takeBack(call);
    this.#mailbox.returnToFront([call]);
  }

  released(call: Call): void {
    this.#forget(call);
    this.#left(call);
  }

  // --- inside ---

  #tellDemand(): void {
    this.#target?.demand?.(this.#flowing ? this.#mailbox.length : 0);
  }

  #enter(call: Call): void {
    if (this.#canSendNow(call)) this.#send(call);
    else {
      // a frame that lies in a batch, or among those of other calls, would keep all of it
      call.request.payload = keepable(call.request.payload);
      this.#mailbox.push(call);
      this.#tellDemand();
    }
  }

  #recall(call: Call, target: CallTarget): boolean {
    const isBack = recall(call, target, () => {
      this.#recalled--;
      this.#left(call);
    });
    if (!isBack) return false;
    this.#recalled++;
    this.#takeBack(call);
    return true;
  }

  /** Its place at the actor is free. */
  #left({ bytes }: Call): void {
    this.#bytesAtActor -= bytes;
    if (this.#flowing && this.#mailbox.length > 0) this.#pump();
    this.#tellDemand();
  }

  /** It was sent, and never began. */
  #takeBack(call: Call): void {
    call.address = undefined;
    call.slipped = false;
    call.deliveries--;
    this.#inFlight--;
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

  /** The actor is done with it, one way or the other. */
  #forget(call: Call): void {
    clearTimeout(call.grace);
    call.grace = undefined;
    if (call.cancelled && call.address) {
      this.#target?.board.cancelSettled(call.address.number);
    }
    call.cancelled = false;
  }

  #endBegun(call: Call, error: PluginError, how: 'crashed' | 'aborted'): void {
    const poison = how === 'crashed' && isPoison(call, this.#plan.restart.redeliver);
    call.rejectWith(begunError(call, error, poison), how);
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
}
