/**
 * The actor's mailbox loop: begins calls in the order they came, as many at once as the plugin's
 * concurrency allows, and sends the results in batches.
 *
 * A result waits for company, but not for long: before a call begins, what is ready is sent if
 * the oldest of it has waited a millisecond, or if the batch has reached its size. That size
 * starts at one, doubles while calls are short and falls back to one after a long one, so a
 * result seldom waits behind a long call. Between slices of a millisecond the loop lets the
 * thread's event loop breathe.
 */
import type { PluginHooks } from '../plugin.ts';
import { CodecError } from '../protocol/codec-error.ts';
import { decode, encode, type Payload } from '../protocol/codec.ts';
import { PluginError } from '../protocol/errors.ts';
import { FLAG, KIND, type FrameReader } from '../protocol/frame.ts';
import { BATCH_DELAY_MS } from '../protocol/limits.ts';
import { TRANSFER_MARK } from '../protocol/marks.ts';
import { toWireError } from '../protocol/wire-error.ts';
import { RunningCall, type CallScope } from './running-call.ts';
import { collect, isStream, StreamProducer } from './stream-producer.ts';

/** A call that arrived and has not begun: a frame, copied out of its reader. */
interface WaitingCall {
  readonly slot: number;
  readonly number: number;
  readonly flags: number;
  readonly timeoutMs: number;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly attachments: readonly unknown[];
}

/** Runs `execute` so that whatever it starts can be traced to its call. */
export type CallSpan = (call: RunningCall, execute: () => unknown) => unknown;

const BATCH_RESULTS_MAX = 1_024;

export class CallLoop {
  hooks: PluginHooks | undefined;
  readonly #scope: CallScope;
  readonly #concurrency: number;
  readonly #within: CallSpan | undefined;
  #inbox: WaitingCall[] = [];
  #next = 0;
  readonly #active: RunningCall[] = [];
  #quiet: (() => void)[] = [];
  #pumping = false;
  #sliceStart = 0;
  #busy = false;
  #ready = 0;
  #readySince = 0;
  #batchSize = 1;
  #flushScheduled = false;
  #pumpScheduled = false;
  #urgent = false;
  #flushedAt = 0;

  /** @param within needed where calls interleave: nested calls must know their parent. */
  constructor(scope: CallScope, concurrency: number, within?: CallSpan) {
    this.#scope = scope;
    this.#concurrency = concurrency;
    this.#within = within;
  }

  /** The one call that runs, where there is exactly one. */
  get current(): RunningCall | undefined {
    return this.#active.length === 1 ? this.#active[0] : undefined;
  }

  /** A call arrived. */
  accept(frame: FrameReader): void {
    this.#inbox.push({
      slot: frame.slot,
      number: frame.number,
      flags: frame.flags,
      timeoutMs: frame.detail,
      bytes: frame.bytes,
      start: frame.start,
      end: frame.end,
      attachments: frame.attachments,
    });
    if (!this.#pumping) this.#schedulePump();
  }

  cancel(frame: FrameReader): void {
    this.#find(frame.number)?.cancel(frame.detail);
  }

  credit(frame: FrameReader): void {
    this.#find(frame.number)?.producer?.credit(frame.detail);
  }

  /** Settles once no call runs. Who wants it to stay so holds the gate first. */
  async whenQuiet(): Promise<void> {
    if (this.#active.length === 0) return;
    await new Promise<void>((resolve) => this.#quiet.push(resolve));
  }

  /** Begins what may begin. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    if (this.#sliceStart === 0) this.#sliceStart = performance.now();
    let now = performance.now();
    while (this.#mayBegin()) {
      if (this.#ready > 0 && this.#isDue(now)) this.#flush();
      if (now - this.#sliceStart > BATCH_DELAY_MS) break;
      if (!this.#busy) this.#setBusy(now);
      this.#begin();
      const begun = now;
      now = performance.now();
      if (now - begun > BATCH_DELAY_MS) this.#batchSize = 1;
    }
    this.#pumping = false;
    this.#afterPump();
  }

  /** A frame other than a result was written: it goes out at the end of this turn. */
  urge(): void {
    this.#urgent = true;
    if (!this.#pumping) this.#scheduleFlush();
  }

  /** Something was told from inside a call, which may go on for long: send it, but not too often. */
  flushIfDue(): void {
    if (performance.now() - this.#flushedAt > BATCH_DELAY_MS) this.#flush();
    else this.#scheduleFlush();
  }

  #mayBegin(): boolean {
    return (
      this.#next < this.#inbox.length &&
      this.#active.length < this.#concurrency &&
      this.#scope.board.mayBegin()
    );
  }

  #begin(): void {
    const waiting = this.#take();
    const { board, link, limits } = this.#scope;
    if (!board.begin(waiting.slot, waiting.number)) {
      link.reply(KIND.skipped, waiting);
      this.#resultReady();
      return;
    }
    const call = new RunningCall(this.#scope, waiting);
    this.#active.push(call);
    let result: unknown;
    try {
      const input = decode(waiting, limits);
      result = this.#within
        ? this.#within(call, () => this.hooks?.execute(input, call))
        : this.hooks?.execute(input, call);
    } catch (error) {
      this.#fail(call, error);
      return;
    }
    if (isThenable(result)) {
      result.then(
        (value) => {
          this.#finish(call, value);
          this.pump();
        },
        (error: unknown) => {
          this.#fail(call, error);
          this.pump();
        },
      );
    } else {
      this.#finish(call, result);
    }
  }

  #take(): WaitingCall {
    const waiting = this.#inbox[this.#next] as WaitingCall;
    this.#next++;
    if (this.#next === this.#inbox.length) {
      this.#inbox = [];
      this.#next = 0;
    }
    return waiting;
  }

  #finish(call: RunningCall, result: unknown): void {
    if (isStream(result)) {
      this.#stream(call, result);
      return;
    }
    let payload: Payload;
    try {
      payload = this.#encode(result);
    } catch (error) {
      this.#fail(call, error);
      return;
    }
    const { link } = this.#scope;
    if ((call.flags & FLAG.stream) === 0) link.reply(KIND.result, call, payload);
    else {
      // a stream of one: the caller asked for a stream, the plugin returned a value
      link.reply(KIND.chunk, call, payload);
      link.reply(KIND.end, call);
    }
    this.#ended(call);
  }

  #fail(call: RunningCall, error: unknown): void {
    const { limits, link, pluginId } = this.#scope;
    if (error instanceof CodecError) {
      const runtime = new PluginError(error.code, `${pluginId}: ${error.message}`, {
        pluginId,
        data: error.data,
      });
      link.reply(KIND.failure, call, encode(toWireError(runtime), limits), FLAG.runtime);
    } else {
      link.reply(KIND.failure, call, this.#encodeError(error));
    }
    this.#ended(call);
  }

  #stream(call: RunningCall, source: Iterator<unknown> | AsyncIterable<unknown>): void {
    if ((call.flags & FLAG.stream) === 0) {
      collect(source).then(
        (all) => {
          this.#finish(call, all);
          this.pump();
        },
        (error: unknown) => {
          this.#fail(call, error);
          this.pump();
        },
      );
      return;
    }
    const producer = new StreamProducer(source, {
      chunk: (value) => {
        this.#scope.link.reply(KIND.chunk, call, this.#encode(value));
        this.#scope.flushIfDue();
      },
      pause: () => {
        this.#flush();
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

  #encode(result: unknown): Payload {
    if (typeof result === 'object' && result !== null && TRANSFER_MARK in result) {
      const marked = result as { [TRANSFER_MARK]: readonly ArrayBuffer[]; value: unknown };
      return encode(marked.value, this.#scope.limits, marked[TRANSFER_MARK]);
    }
    return encode(result, this.#scope.limits);
  }

  #encodeError(error: unknown): Payload {
    const wire = toWireError(error);
    try {
      return encode(wire, this.#scope.limits);
    } catch {
      return encode({ name: wire.name, message: wire.message.slice(0, 1_000) }, this.#scope.limits);
    }
  }

  #ended(call: RunningCall): void {
    const at = this.#active.indexOf(call);
    if (at >= 0) this.#active.splice(at, 1);
    this.#resultReady();
    if (this.#active.length === 0 && this.#quiet.length > 0) {
      const waiters = this.#quiet;
      this.#quiet = [];
      for (const resolve of waiters) resolve();
    }
  }

  #resultReady(): void {
    if (this.#ready === 0) this.#readySince = performance.now();
    this.#ready++;
  }

  #isDue(now: number): boolean {
    if (this.#ready >= this.#batchSize) {
      this.#batchSize = Math.min(this.#batchSize * 2, BATCH_RESULTS_MAX);
      return true;
    }
    return now - this.#readySince > BATCH_DELAY_MS;
  }

  #afterPump(): void {
    const idle = this.#active.length === 0;
    const waiting = this.#next < this.#inbox.length;
    if (idle && !waiting && this.#busy) this.#setBusy(0);
    if (this.#scope.link.hasPending) {
      if (this.#urgent || (idle && !waiting)) this.#flush();
      else this.#scheduleFlush();
    }
    if (this.#mayBegin()) this.#schedulePump();
    else if (idle) this.#sliceStart = 0;
  }

  #flush(): void {
    this.#ready = 0;
    this.#urgent = false;
    this.#flushedAt = performance.now();
    this.#scope.link.flush();
  }

  /** After the other work of this turn: results of calls that end meanwhile keep it company. */
  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
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
    if (this.#sliceStart === 0) queueMicrotask(run);
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

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  );
}
