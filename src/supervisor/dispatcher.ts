/**
 * Moves a plugin's calls from its mailbox to its actor, and sees to it that every accepted call
 * settles exactly once, whatever happens to the actor meanwhile.
 */
import { keepable } from '../protocol/codec.ts';
import type { PluginError } from '../protocol/errors.ts';
import { CANCEL_REASON } from '../protocol/frame.ts';
import { CALL_BYTES } from '../protocol/limits.ts';
import type { PluginPlan } from '../protocol/manifest.ts';
import type { DeadLetter, DeadLetterReason } from '../protocol/report.ts';
import { toWireError } from '../protocol/wire-error.ts';
import { AtActor } from './at-actor.ts';
import type { CallCarrier, CallTarget } from './call-target.ts';
import { bytesOf, Call, movesBuffers, type CallOwner, type CallRequest } from './call.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { Deadlines } from './deadlines.ts';
import { Estate } from './estate.ts';
import { Mailbox } from './mailbox.ts';
import type { CallEnd, Meter } from './meter.ts';
import { recallable } from './recall.ts';
import { begunError, isPoison, mayRedeliver } from './redelivery.ts';
import { abortedBefore, mailboxFull } from './refusals.ts';

export interface DispatcherEvents {
  /** A begun call ignored its abort for the whole grace. */
  hang(call: Call): void;
  deadLetter(letter: DeadLetter): void;
}

export class Dispatcher implements CallOwner {
  readonly pluginId: string;
  readonly replica: number | undefined;
  readonly concurrency: number;
  readonly meter: Meter;
  readonly deadLetters: DeadLetters;
  readonly #plan: PluginPlan;
  readonly #events: DispatcherEvents;
  readonly #mailbox: Mailbox<Call>;
  readonly #deadlines: Deadlines;
  readonly #atActor: AtActor;
  #flowing = false;
  #idle: (() => void) | undefined;
  /** The actor has let go of a call. */
  readonly #left = (): void => {
    this.#pump();
    this.#tellIdle();
  };

  /** @param estate what it shares with others, so that a call may go from one to another. */
  constructor(
    plan: PluginPlan,
    events: DispatcherEvents,
    estate = new Estate(plan.limits),
    replica?: number,
  ) {
    this.#plan = plan;
    this.#events = events;
    this.pluginId = plan.metadata.id;
    this.concurrency = plan.concurrency;
    this.#mailbox = new Mailbox(plan.mailbox);
    this.replica = replica;
    this.meter = estate.meterOf(replica);
    this.#deadlines = estate.deadlines;
    this.deadLetters = estate.deadLetters;
    this.#atActor = new AtActor({
      concurrency: plan.concurrency,
      graceMs: plan.limits.graceMs,
      hang: (call) => {
        events.hang(call);
      },
    });
  }

  /** Calls at the actor that are not yet settled. */
  get inFlight(): number {
    return this.#atActor.inFlight;
  }

  get queued(): number {
    return this.#mailbox.length;
  }

  /** Calls that keep the actor busy or wait for it, also those whose caller gave up. */
  get load(): number {
    return this.#atActor.load + this.#mailbox.length;
  }

  /** Answers that nobody waited for any more. */
  get lateReplies(): number {
    return this.meter.lateReplies + (this.#atActor.target?.link.lateReplies ?? 0);
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
    this.#enter(call, now);
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
    this.#enter(call, performance.now());
  }

  /**
   * Gives away calls that have not begun; they are nobody's until they are adopted. Those in the
   * mailbox first, the oldest before the others; then those at the actor, the last one first.
   */
  give(max: number, mayGo: (call: Call) => boolean): Call[] {
    const given = this.#mailbox.take(max, mayGo);
    if (given.length < max) given.push(...this.#recall(max - given.length, mayGo));
    this.meter.started -= given.length;
    return given;
  }

  /** Gives away all that have not begun, in their order; see {@link give}. */
  handOver(): Call[] {
    const atActor = this.#recall(Infinity, () => true).toReversed();
    const given = [...atActor, ...this.#mailbox.clear()];
    this.meter.started -= given.length;
    this.#tellIdle();
    return given;
  }

  /** Settles once no call is here any more. */
  async whenIdle(): Promise<void> {
    if (this.load === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  /** A new life: calls go there once they flow. */
  connect(target: CallTarget): void {
    this.#atActor.connect(target);
  }

  setFlowing(flowing: boolean): void {
    this.#flowing = flowing;
    this.#pump();
  }

  /** The target has room that no answer made. */
  roomMade(): void {
    this.#pump();
  }

  /**
   * The life is over. Calls that had not begun go back to the front of the mailbox; begun ones
   * are rejected with `error`, or delivered again where they are idempotent.
   */
  disconnect(error: PluginError, how: 'crashed' | 'aborted'): void {
    const target = this.#atActor.disconnect();
    if (target) this.#sortOut(target, error, how);
    this.#tellIdle();
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
      if (!(exchange instanceof Call)) {
        this.#atActor.forget(address.number);
        continue;
      }
      this.#atActor.release(exchange);
      if (exchange.settled) continue;
      const begun = board.hasBegun(address.number) || movesBuffers(exchange.request.payload);
      if (begun && !(how === 'crashed' && mayRedeliver(exchange, redeliver))) {
        this.#endBegun(exchange, error, how);
        continue;
      }
      if (begun) this.#atActor.leave(exchange);
      else this.#atActor.takeBack(exchange);
      back.push(exchange);
    }
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
    for (const call of this.#atActor.recallAll(this.#left)) call.rejectWith(error, 'aborted');
  }

  /** Cancels calls that stand still at a checkpoint: a paused plugin is to stop. */
  dropBegun(error: PluginError): void {
    for (const call of this.#atActor.calls()) {
      if (call.settled) continue;
      this.#atActor.cancel(call, CANCEL_REASON.stop);
      call.rejectWith(error, 'aborted');
    }
  }

  grant(call: Call, chunks: number): void {
    if (!call.settled) this.#atActor.grant(call, chunks);
  }

  close(): void {
    this.#deadlines.clear();
  }

  // --- CallOwner ---

  expire(call: Call, code: 'CALL_TIMEOUT' | 'CALL_ABORTED'): void {
    if (call.settled) return;
    const reason = code === 'CALL_TIMEOUT' ? CANCEL_REASON.deadline : CANCEL_REASON.abort;
    const begun = this.#atActor.cancel(call, reason);
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
    this.#atActor.cancel(call, CANCEL_REASON.abort);
    call.rejectWith(error, 'failed');
  }

  settled(call: Call, how: CallEnd, at: number): void {
    if (call.slot) this.#deadlines.remove(call);
    this.#atActor.settled(call);
    this.meter.ended(how, at - call.acceptedAt);
  }

  late(): void {
    this.meter.lateReplies++;
  }

  skipped(call: Call): void {
    this.#atActor.takeBack(call);
    this.#mailbox.returnToFront([call]);
  }

  released(call: Call): void {
    this.#atActor.release(call);
    this.#left();
  }

  // --- inside ---

  #enter(call: Call, now: number): void {
    // the short way past the mailbox, for a plugin that keeps up
    if (this.#flowing && this.#mailbox.length === 0 && this.#atActor.hasRoomFor(call)) {
      this.#send(call, now);
      return;
    }
    // a frame that lies in a batch, or among those of other calls, would keep all of it
    call.request.payload = keepable(call.request.payload);
    this.#mailbox.push(call);
    this.#tellDemand();
  }

  #pump(): void {
    let now: number | undefined;
    for (let call = this.#next(); call; call = this.#next()) {
      this.#mailbox.shift();
      now ??= performance.now();
      this.#send(call, now);
    }
    this.#tellDemand();
  }

  /** The one that was sent last comes first. */
  #recall(max: number, mayGo: (call: Call) => boolean): Call[] {
    const back: Call[] = [];
    for (const call of recallable(this.#atActor.calls(), mayGo)) {
      if (!this.#atActor.recall(call, this.#left) || back.push(call) >= max) break;
    }
    return back;
  }

  #tellIdle(): void {
    if (this.#idle && this.load === 0) this.#idle();
  }

  #next(): Call | undefined {
    const call = this.#flowing ? this.#mailbox.peek() : undefined;
    return call && this.#atActor.hasRoomFor(call) ? call : undefined;
  }

  #tellDemand(): void {
    this.#atActor.target?.demand?.(this.#flowing ? this.#mailbox.length : 0);
  }

  #send(call: Call, now: number): void {
    try {
      this.#atActor.send(call, now);
    } catch (error) {
      const message = `the input cannot be sent: ${toWireError(error).message}`;
      call.reject('PAYLOAD_INVALID', message, 'failed', {});
    }
  }

  #endBegun(call: Call, error: PluginError, how: 'crashed' | 'aborted'): void {
    const poison = how === 'crashed' && isPoison(call, this.#plan.restart.redeliver);
    call.rejectWith(begunError(call, error, poison), how);
    if (poison) this.#bury(call, 'poison', error);
  }

  #bury(call: Call, reason: DeadLetterReason, error: PluginError): void {
    this.#events.deadLetter(this.deadLetters.add(call, reason, error));
  }
}
