/**
 * One run at a time, and at most one that waits: whoever asks during a run gets the next one,
 * which begins after all that was asked for it, and shares its outcome.
 */
export class TurnQueue<T> {
  readonly #run: () => Promise<T>;
  #present: Promise<T> | undefined;
  #next: Promise<T> | undefined;

  constructor(run: () => Promise<T>) {
    this.#run = run;
  }

  get isBusy(): boolean {
    return this.#present !== undefined || this.#next !== undefined;
  }

  ask(): Promise<T> {
    if (this.#next) return this.#next;
    if (!this.#present) return this.#begin();
    this.#next = this.settled().then(() => {
      this.#next = undefined;
      return this.#begin();
    });
    return this.#next;
  }

  /** Settles when the present run is over; never rejects. */
  async settled(): Promise<void> {
    await this.#present?.catch(() => undefined);
  }

  #begin(): Promise<T> {
    const run = this.#run().finally(() => {
      this.#present = undefined;
    });
    this.#present = run;
    return run;
  }
}
