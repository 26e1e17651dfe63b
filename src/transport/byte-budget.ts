/** So many bytes for each second, refilled at once when a new one begins. */
export class ByteBudget {
  readonly #perSecond: number;
  #windowStart = performance.now();
  #left: number;
  #dropped = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
  }

  /** Asked before something is even encoded; then that is counted as dropped. */
  isSpent(): boolean {
    this.#refill();
    if (this.#left > 0) return false;
    this.#dropped++;
    return true;
  }

  /** `dropped`: how much was, before something fits again. */
  spend(bytes: number): { fits: boolean; dropped: number } {
    this.#refill();
    if (bytes > this.#left) {
      this.#dropped++;
      // what does not fit ends the second: a flood of large lines is not encoded one by one
      this.#left = 0;
      return { fits: false, dropped: this.#dropped };
    }
    this.#left -= bytes;
    const dropped = this.#dropped;
    this.#dropped = 0;
    return { fits: true, dropped };
  }

  #refill(): void {
    const now = performance.now();
    if (now - this.#windowStart < 1_000) return;
    this.#windowStart = now;
    this.#left = this.#perSecond;
  }
}
