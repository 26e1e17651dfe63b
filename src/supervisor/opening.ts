/**
 * A thread that is ended while it imports leaves behind the files it has open at that moment: Node
 * closes them with the process only. So one that somebody wants ended is given time to import.
 */
import { IMPORT_END_MS } from '../protocol/limits.ts';
import type { ActorControl } from '../protocol/messages.ts';
import { within } from './deadline.ts';

export class Opening {
  /** The same verbs as those of the thread. */
  readonly control: ActorControl;
  readonly #untilMs: number;
  #answer: Promise<unknown> | undefined;

  /** @param startTimeoutMs after which nobody takes it for importing any more. */
  constructor(control: ActorControl, startTimeoutMs: number) {
    this.#untilMs = performance.now() + startTimeoutMs;
    this.control = new Proxy(control, {
      get: (verbs, name): unknown =>
        name === 'open' ? () => this.#open(verbs) : Reflect.get(verbs, name),
    });
  }

  /** Ends it when it imports nothing, or has taken too long to. Comlink never says that it died. */
  end(terminate: () => void, died: Promise<unknown>): void {
    const leftMs = Math.min(IMPORT_END_MS, this.#untilMs - performance.now());
    if (!this.#answer || leftMs <= 0) terminate();
    else void within(Promise.race([this.#answer, died]), leftMs).then(terminate, terminate);
  }

  #open(verbs: ActorControl): ReturnType<ActorControl['open']> {
    const answer = verbs.open();
    this.#answer = answer;
    const settled = (): void => {
      this.#answer = undefined;
    };
    answer.then(settled, settled);
    return answer;
  }
}
