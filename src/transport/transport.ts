/** How bytes travel: the seam behind which every carrier is the same three methods. */

export interface Transport {
  /**
   * Hands over one batch of frames, which is the carrier's during the call only.
   * `attachments` travel beside it: those of them in `moved` are moved, all other ArrayBuffers
   * copied before this returns, SharedArrayBuffers shared.
   */
  send(
    batch: Uint8Array,
    attachments?: readonly (ArrayBuffer | SharedArrayBuffer)[],
    moved?: readonly ArrayBuffer[],
  ): void;
  /**
   * The other side has read all there was and is awake: what is sent now is begun now, and waiting
   * for company wins nothing. Absent where a carrier cannot know.
   */
  readonly isHungry?: boolean;
  /** Called with every batch that arrives, in order. One listener. */
  onMessage(listener: (batch: Uint8Array, attachments: readonly unknown[]) => void): void;
  /**
   * Said by the listener: what it resolved takes its turn before the next batch is delivered, and
   * once in a while timers do. Absent where a carrier delivers in turns of its own.
   */
  giveWay?(): void;
  /** Delivers what has arrived now, not in a later turn of the event loop; absent where that cannot be. */
  drain?(): void;
  /** Delivers what has arrived already, then nothing more, in either direction. */
  close(): void;
}
