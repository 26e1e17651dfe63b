/** A stream that the kernel itself serves to an actor: events, or a watched value. */
import type { Payload } from '../protocol/codec.ts';
import { KIND } from '../protocol/frame.ts';
import { EVENT_BACKLOG_MAX, STREAM_CREDIT_CHUNKS } from '../protocol/limits.ts';
import type { ActorLink } from '../supervisor/call-target.ts';

export interface ServedStreamOptions {
  link: ActorLink;
  to: { slot: number; number: number };
  /** What a slow reader gets: every value up to a bound, or only the newest. */
  keep: 'all' | 'newest';
}

export class ServedStream {
  /** Values a slow reader lost. */
  dropped = 0;
  readonly #link: ActorLink;
  readonly #to: { slot: number; number: number };
  readonly #backlogMax: number;
  #credit: number;
  #backlog: Payload[] = [];

  constructor({ link, to, keep }: ServedStreamOptions) {
    this.#link = link;
    this.#to = to;
    this.#credit = keep === 'newest' ? 1 : STREAM_CREDIT_CHUNKS;
    this.#backlogMax = keep === 'newest' ? 1 : EVENT_BACKLOG_MAX;
  }

  push(payload: Payload): void {
    if (this.#credit > 0) {
      this.#send(payload);
      return;
    }
    this.#backlog.push(payload);
    if (this.#backlog.length > this.#backlogMax) {
      this.#backlog.shift();
      this.dropped++;
    }
  }

  grant(chunks: number): void {
    this.#credit += chunks;
    while (this.#credit > 0) {
      const payload = this.#backlog.shift();
      if (!payload) return;
      this.push(payload);
    }
  }

  end(): void {
    this.#backlog = [];
    this.#link.reply(KIND.end, this.#to);
  }

  #send(payload: Payload): void {
    try {
      this.#link.reply(KIND.chunk, this.#to, payload);
      this.#credit--;
    } catch {
      // shared memory reaches no process: this reader misses it, and who wrote it is not to blame
      this.dropped++;
    }
  }
}
