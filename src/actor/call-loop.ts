/**
 * The actor's mailbox loop: begins calls in the order they came, as many at once as the plugin's
 * concurrency allows. Between slices of a millisecond it lets the thread's event loop breathe, so
 * that timers, signals and I/O of the plugin live.
 */
import type { PluginHooks } from '../plugin.ts';
import { decode } from '../protocol/codec.ts';
import { FLAG, KIND, type FrameReader } from '../protocol/frame.ts';
import { BATCH_DELAY_MS } from '../protocol/limits.ts';
import { encodeFailure, encodeResult } from './answers.ts';
import { Inbox, type WaitingCall } from './inbox.ts';
import { execute } from './into-plugin.ts';
import { ReplyBatch } from './reply-batch.ts';
import { RunningCall, type CallScope, type PushedChunks } from './running-call.ts';
import { collect, isStream, StreamProducer } from './stream-producer.ts';
import { isThenable } from './thenable.ts';

/** Runs `execute` so that whatever it starts can be traced to its call. */
export type CallSpan = (call: RunningCall, execute: () => unknown) => unknown;

export class CallLoop {
  hooks: PluginHooks | undefined;
  readonly #scope: CallScope;
  readonly #concurrency: number;
  readonly #within: CallSpan | undefined;
  readonly #inbox = new Inbox();
  readonly #batch: ReplyBatch;
  readonly #active: RunningCall[] = [];
  #quiet: (() => void)[] = [];
  #pumping = false;
  /** Whoever works between two calls. */
  #held = 0;
  #sliceStart = 0;
  #busy = false;
  #pumpScheduled = false;
  #called: (() => void) | undefined;

  /** @param within needed where calls interleave: nested calls must know their parent. */
  constructor(scope: CallScope, concurrency: number, within?: CallSpan) {
    this.#scope = scope;
    this.#called = scope.called;
    this.#batch = new ReplyBatch(scope.link);
    this.#concurrency = concurrency;
    this.#within = within;
  }

  /** The one call that runs, where there is exactly one. */
  get current(): RunningCall | undefined {
    return this.#active.length === 1 ? this.#active[0] : undefined;
  }

  /** A call arrived. */
  accept(frame: FrameReader): void {
    this.#inbox.push(frame);
    if (!this.#pumping) this.#schedulePump();
  }

  /** A running call is told; one that waits is given back at once, even while no call may begin. */
  cancel({ number, detail }: FrameReader): void {
    const running = this.#find(number);
    if (running) running.cancel(detail);
    else this.#skipWaiting(number);
  }

  credit(frame: FrameReader): void {
    this.#find(frame.number)?.producer?.credit(frame.detail);
  }

  /** Settles once no call runs. Who wants it to stay so holds the gate first. */
  async whenQuiet(): Promise<void> {
    if (this.#active.length === 0) return;
    await new Promise<void>((resolve) => this.#quiet.push(resolve));
  }

  /** Does something between two calls: none is inside, and none begins until it is done. */
  async atRest<T>(work: () => T | Promise<T>): Promise<T> {
    const hold = (): void => {
      this.#held++;
    };
    if (this.#active.length === 0) hold();
    else {
      await new Promise<void>((resolve) => {
        // at once, before the next call can begin
        this.#quiet.push(() => {
          hold();
          resolve();
        });
      });
    }
    try {
      return await work();
    } finally {
      this.#held--;
      this.pump();
    }
  }

  /** Begins what may begin. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    if (this.#sliceStart === 0) this.#sliceStart = performance.now();
    let now = performance.now();
    while (this.#mayBegin()) {
      this.#batch.beforeCall(now);
      if (now - this.#sliceStart > BATCH_DELAY_MS) break;
      if (!this.#busy) this.#setBusy(now);
      this.#begin();
      const begun = now;
      now = performance.now();
      if (now - begun > BATCH_DELAY_MS) this.#batch.afterLongCall();
    }
    this.#pumping = false;
    this.#afterPump();
  }

  /** A frame other than a result was written: it goes out at the end of this turn. */
  urge(): void {
    this.#batch.urge();
    if (!this.#pumping) this.#batch.schedule();
  }

  /** Something was told from inside a call, which may go on for long. */
  flushIfDue(): void {
    this.#batch.flushIfDue();
  }

  #mayBegin(): boolean {
    return (
      !this.#inbox.isEmpty &&
      this.#active.length < this.#concurrency &&
      this.#held === 0 &&
      this.#scope.board.mayBegin()
    );
  }

  #begin(): void {
    const waiting = this.#inbox.take();
    if (!waiting) return;
    const { board, limits } = this.#scope;
    if (!board.begin(waiting.slot, waiting.number)) {
      this.#skip(waiting);
      return;
    }
    const call = new RunningCall(this.#scope, waiting);
    this.#active.push(call);
    let result: unknown;
    try {
      const input = decode(waiting, limits);
      result = this.#within
        ? this.#within(call, () => this.hooks && execute(this.hooks, input, call))
        : this.hooks && execute(this.hooks, input, call);
      if (isThenable(result)) this.#later(call, Promise.resolve(result));
      else this.#finish(call, result);
    } catch (error) {
      this.#fail(call, error);
    }
  }

  /** The outcome comes in a later turn. */
  #later(call: RunningCall, outcome: Promise<unknown>): void {
    const failed = (error: unknown): void => {
      this.#fail(call, error);
      this.pump();
    };
    outcome.then((value) => {
      try {
        this.#finish(call, value);
      } catch (error) {
        failed(error);
        return;
      }
      this.pump();
    }, failed);
  }

  #skipWaiting(number: number): void {
    const waiting = this.#inbox.remove(number);
    if (!waiting) return;
    this.#skip(waiting);
    if (!this.#pumping) this.#schedulePump();
  }

  #skip(waiting: WaitingCall): void {
    this.#scope.link.reply(KIND.skipped, waiting);
    this.#batch.resultReady();
  }

  /** Throws where the result can't be read or sent; then nothing was sent of it. */
  #finish(call: RunningCall, result: unknown): void {
    if (call.pushed) {
      this.#finishPushed(call, call.pushed);
      return;
    }
    if (isStream(result)) {
      this.#stream(call, result);
      return;
    }
    const payload = encodeResult(result, this.#scope.limits);
    const { link } = this.#scope;
    if ((call.flags & FLAG.stream) === 0) link.reply(KIND.result, call, payload);
    else {
      // a stream of one: the caller asked for a stream, the plugin returned a value
      link.reply(KIND.chunk, call, payload);
      link.reply(KIND.end, call);
    }
    this.#ended(call);
  }

  #finishPushed(call: RunningCall, { collected }: PushedChunks): void {
    const { link, limits } = this.#scope;
    if ((call.flags & FLAG.stream) !== 0) link.reply(KIND.end, call);
    else link.reply(KIND.result, call, encodeResult(collected, limits));
    this.#ended(call);
  }

  #fail(call: RunningCall, error: unknown): void {
    const { payload, flags } = encodeFailure(error, this.#scope);
    this.#scope.link.reply(KIND.failure, call, payload, flags);
    this.#ended(call);
  }

  #stream(call: RunningCall, source: Iterator<unknown> | AsyncIterable<unknown>): void {
    if ((call.flags & FLAG.stream) === 0) {
      this.#later(call, collect(source));
      return;
    }
    const producer = new StreamProducer(source, {
      chunk: (value, now) => {
        this.#scope.link.reply(KIND.chunk, call, encodeResult(value, this.#scope.limits));
        this.#batch.flushIfDue(now);
      },
      pause: () => {
        this.#batch.flush();
      },
      end: () => {
        this.#scope.link.reply(KIND.end, call);
        this.#ended(call);
        this.pump();
      },
      fail: (error) => {
        this.#fail(call, error);
        this.pump();
      },
    });
    call.producer = producer;
    if (call.isCancelled) producer.cancel();
    void producer.run();
  }

  #ended(call: RunningCall): void {
    const at = this.#active.indexOf(call);
    if (at >= 0) this.#active.splice(at, 1);
    this.#batch.resultReady();
    if (this.#called) {
      // what it answered leaves first
      setImmediate(this.#called);
      this.#called = undefined;
    }
    if (this.#active.length === 0 && this.#quiet.length > 0) {
      const waiters = this.#quiet;
      this.#quiet = [];
      for (const resolve of waiters) resolve();
    }
  }

  #afterPump(): void {
    const idle = this.#active.length === 0;
    const waiting = !this.#inbox.isEmpty;
    if (idle && !waiting && this.#busy) this.#setBusy(0);
    this.#batch.endTurn(idle && !waiting);
    if (this.#mayBegin()) this.#schedulePump();
    else if (idle) this.#sliceStart = 0;
  }

  #schedulePump(): void {
    if (this.#pumpScheduled) return;
    this.#pumpScheduled = true;
    const run = (): void => {
      this.#pumpScheduled = false;
      this.#sliceStart = 0;
      this.pump();
    };
    // a whole batch is accepted before the first of it begins; a new slice lets the event loop turn
    if (this.#sliceStart === 0) void NEXT_MICROTASK.then(run);
    else setImmediate(run);
  }

  #setBusy(now: number): void {
    this.#busy = now !== 0;
    this.#scope.board.setBusy(this.#busy ? performance.timeOrigin + now : 0);
  }

  #find(number: number): RunningCall | undefined {
    return this.#active.find((call) => call.number === number);
  }
}

/** `queueMicrotask` makes an async resource for each call; a settled promise does not. */
const NEXT_MICROTASK = Promise.resolve();
