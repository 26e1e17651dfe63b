/**
 * What an actor does for code that cannot await, as a WebAssembly guest: the thread stands still
 * until the answer is there, and takes in what is sent to it meanwhile. While the plugin is
 * paused it stands still for that; where its own call is cancelled, an `AbortError` is thrown.
 */
import type { ServiceRequest } from './messages.ts';

export interface Blocking {
  /** Calls another plugin. Throws what that call fails with. */
  call(id: string, input: unknown): unknown;
  /** Asks the kernel. */
  service(request: ServiceRequest): unknown;
  /** Where a pause parks and a cancelled call ends. */
  checkpoint(): void;
  /** A checkpoint that lasts. */
  sleep(ms: number): void;
  /**
   * A chunk of the stream that the current call becomes by this: it leaves at once, or, without
   * room, when its reader has taken others. For a caller who reads no stream all are collected.
   */
  push(value: unknown, bytes: number): void;
}
