/** Who asked: a promise or a stream of the embedding program, or another actor over its link. */
import { ChunkQueue } from '../protocol/chunk-queue.ts';
import { carriedBytes, decode, encode, forwardable, type Body } from '../protocol/codec.ts';
import { streamWindow } from '../protocol/credit-window.ts';
import type { PluginError } from '../protocol/errors.ts';
import { failureOf } from '../protocol/failure.ts';
import { FLAG, KIND } from '../protocol/frame.ts';
import { RUNTIME_LIMITS, type Limits } from '../protocol/limits.ts';
import { toWireError } from '../protocol/wire-error.ts';
import type { ActorLink } from '../supervisor/call-target.ts';
import type { Call, Receiver } from '../supervisor/call.ts';

export interface Progress {
  fraction: number;
  note: string | undefined;
}

export interface ReceiverOptions {
  pluginId: string;
  limits: Limits;
  onProgress: (call: Call, progress: Progress) => void;
}

/** Of `manager.execute`. */
export class PromiseReceiver implements Receiver {
  readonly #options: ReceiverOptions;
  readonly #resolve: (value: unknown) => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    options: ReceiverOptions,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  result(body: Body): void {
    this.#resolve(decode(body, this.#options.limits));
  }

  failure(body: Body, fromRuntime: boolean): void {
    this.#reject(failureOf(body, this.#options.pluginId, fromRuntime));
  }

  chunk(): void {
    // a call that asked for no stream gets none
  }

  end(): void {
    this.#resolve(undefined);
  }

  progress(body: Body, call: Call): void {
    reportProgress(body, call, this.#options);
  }

  reject(error: PluginError): void {
    this.#reject(error);
  }
}

/** Of `manager.stream`: the reader's end, and the call once it is accepted. */
export class StreamReceiver implements Receiver {
  readonly chunks: ChunkQueue<unknown>;
  call: Call | undefined;
  readonly #options: ReceiverOptions;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.chunks = new ChunkQueue({
      credit: streamWindow(),
      grant: (chunks) => {
        this.call?.owner.grant(this.call, chunks);
      },
      cancel: () => {
        this.call?.owner.expire(this.call, 'CALL_ABORTED');
      },
    });
  }

  result(body: Body): void {
    this.chunk(body);
    this.end();
  }

  failure(body: Body, fromRuntime: boolean): void {
    this.chunks.fail(failureOf(body, this.#options.pluginId, fromRuntime));
  }

  chunk(body: Body): void {
    this.chunks.push(decode(body, this.#options.limits), carriedBytes(body));
  }

  end(): void {
    this.chunks.end();
  }

  progress(body: Body, call: Call): void {
    reportProgress(body, call, this.#options);
  }

  reject(error: PluginError): void {
    this.chunks.fail(error);
  }
}

/** Of a call that another actor made: what comes is passed on without being decoded. */
export class LinkReceiver implements Receiver {
  readonly #link: ActorLink;
  readonly #to: { slot: number; number: number };
  readonly #settled: () => void;

  constructor(link: ActorLink, to: { slot: number; number: number }, settled: () => void) {
    this.#link = link;
    this.#to = to;
    this.#settled = settled;
  }

  result(body: Body): void {
    this.#settled();
    this.#link.reply(KIND.result, this.#to, forwardable(body));
  }

  failure(body: Body, fromRuntime: boolean): void {
    this.#settled();
    this.#link.reply(KIND.failure, this.#to, forwardable(body), fromRuntime ? FLAG.runtime : 0);
  }

  chunk(body: Body): void {
    this.#link.reply(KIND.chunk, this.#to, forwardable(body));
  }

  end(): void {
    this.#settled();
    this.#link.reply(KIND.end, this.#to);
  }

  progress(body: Body): void {
    this.#link.reply(KIND.progress, this.#to, forwardable(body));
  }

  reject(error: PluginError): void {
    this.#settled();
    const payload = encode(toWireError(error), RUNTIME_LIMITS);
    this.#link.reply(KIND.failure, this.#to, payload, FLAG.runtime);
  }
}

function reportProgress(body: Body, call: Call, { onProgress }: ReceiverOptions): void {
  const report = decode(body, RUNTIME_LIMITS);
  if (typeof report !== 'object' || report === null || !('fraction' in report)) return;
  const note = 'note' in report && typeof report.note === 'string' ? report.note : undefined;
  onProgress(call, { fraction: Number(report.fraction), note });
}
