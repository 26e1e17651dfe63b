/**
 * The words of a signal board in a file: two processes share no memory, but what one has written
 * to a file the other reads at once, also after the writer was killed. Reading or writing a word
 * takes about half a microsecond (4 bytes that the system has in its cache, 2 cores, Node 20).
 */
import { closeSync, fstatSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';

import { TIME_BYTES, WORD_BYTES, type BoardWords } from '../protocol/board-words.ts';

/** A glance is at most this old (ms). */
const GLANCE_MS = 1;
/** Who sleeps looks again after this long (ms): short at first, as a pause may be. */
const LOOK_MS_MIN = 1;
const LOOK_MS_MAX = 20;

export class FileWords implements BoardWords {
  /** To be handed to the other process. */
  readonly descriptor: number;
  readonly #bytes = new DataView(new ArrayBuffer(TIME_BYTES));
  readonly #forget: () => void;
  /** What was in it when it was closed. */
  #frozen: DataView | undefined;
  #glance = 0;
  #glancedAt = -Infinity;

  constructor(descriptor: number, forget: () => void = () => undefined) {
    this.descriptor = descriptor;
    this.#forget = forget;
  }

  /** A new file, all 0, that only this user can read and that has no name left where that is possible. */
  static create(byteLength: number): FileWords {
    const name = `troupe-${String(process.pid)}-${Math.random().toString(36).slice(2)}`;
    const file = path.join(os.tmpdir(), name);
    const descriptor = openSync(file, 'wx+', 0o600);
    writeSync(descriptor, new Uint8Array(byteLength), 0, byteLength, 0);
    const unlink = (): boolean => {
      try {
        unlinkSync(file);
        return true;
      } catch {
        return false;
      }
    };
    // Windows keeps the name of an open file
    return unlink() ? new FileWords(descriptor) : new FileWords(descriptor, unlink);
  }

  /** Closes the file. What was in it can still be read; what is written from now on is lost. */
  close(): void {
    if (this.#frozen) return;
    const content = new Uint8Array(fstatSync(this.descriptor).size);
    readSync(this.descriptor, content, 0, content.byteLength, 0);
    this.#frozen = new DataView(content.buffer);
    closeSync(this.descriptor);
    this.#forget();
  }

  load(at: number): number {
    if (this.#frozen) return this.#frozen.getInt32(at * WORD_BYTES, true);
    readSync(this.descriptor, this.#bytes, 0, WORD_BYTES, at * WORD_BYTES);
    return this.#bytes.getInt32(0, true);
  }

  store(at: number, value: number): void {
    if (this.#frozen) return;
    this.#bytes.setInt32(0, value, true);
    writeSync(this.descriptor, this.#bytes, 0, WORD_BYTES, at * WORD_BYTES);
  }

  /** One word only is looked at all the time: the gate. */
  glance(at: number): number {
    const now = performance.now();
    if (now - this.#glancedAt < GLANCE_MS) return this.#glance;
    this.#glancedAt = now;
    this.#glance = this.load(at);
    return this.#glance;
  }

  loadTime(at: number): number {
    if (this.#frozen) return this.#frozen.getFloat64(at * WORD_BYTES, true);
    readSync(this.descriptor, this.#bytes, 0, TIME_BYTES, at * WORD_BYTES);
    return this.#bytes.getFloat64(0, true);
  }

  storeTime(at: number, epochMs: number): void {
    if (this.#frozen) return;
    this.#bytes.setFloat64(0, epochMs, true);
    writeSync(this.descriptor, this.#bytes, 0, TIME_BYTES, at * WORD_BYTES);
  }

  wake(): void {
    // a process cannot be woken through a file: it looks by itself
  }

  sleep(at: number, value: number, limitMs: number): void {
    const until = performance.now() + limitMs;
    for (let waitMs = LOOK_MS_MIN; performance.now() < until; waitMs *= 2) {
      if (this.load(at) !== value) return;
      Atomics.wait(NEVER, 0, 0, Math.min(waitMs, LOOK_MS_MAX));
    }
  }
}

/** Nobody changes it: waiting for it is sleeping. */
const NEVER = new Int32Array(new SharedArrayBuffer(WORD_BYTES));
