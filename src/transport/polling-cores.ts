/**
 * How many threads of this process look at rings: one count for all of them, so that they are no
 * more than there are cores. A thread that is ended while it looks gives nothing back itself, so
 * each has a word that says whether it is counted.
 */
export class PollingCores {
  /** The count, to be handed to other threads. */
  readonly memory: SharedArrayBuffer;
  readonly cores: number;
  readonly #count: Int32Array;

  /** @param memory of another thread's; without it a new count. */
  constructor(cores: number, memory = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.cores = cores;
    this.#count = new Int32Array(memory);
  }

  /** @param counted one word, 0 at first. */
  seat(counted: Int32Array): PollingSeat {
    const count = this.#count;
    const give = (): void => {
      if (Atomics.exchange(counted, 0, 0) === 1) Atomics.sub(count, 0, 1);
    };
    return {
      take: () => {
        // ended between these two, it would count for nobody: better than for ever
        Atomics.store(counted, 0, 1);
        if (Atomics.add(count, 0, 1) < this.cores) return true;
        give();
        return false;
      },
      give,
    };
  }
}

/** One thread's place among those that look. */
export interface PollingSeat {
  /** False where every core is taken already. */
  take(): boolean;
  /** Also on behalf of a thread that is gone. */
  give(): void;
}

/** One thread's place for all the rings that it looks at: it keeps one core busy with any number. */
export class SharedSeat {
  readonly #seat: PollingSeat;
  #holders = 0;

  constructor(seat: PollingSeat) {
    this.#seat = seat;
  }

  /** What one ring holds of it. */
  part(): PollingSeat {
    let isHeld = false;
    return {
      take: () => {
        if (isHeld) return true;
        if (this.#holders === 0 && !this.#seat.take()) return false;
        isHeld = true;
        this.#holders++;
        return true;
      },
      give: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#holders--;
        if (this.#holders === 0) this.#seat.give();
      },
    };
  }
}
