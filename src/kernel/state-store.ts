/**
 * Shared state of a manager: values by key, kept encoded, so that every read is a copy and no
 * reader can change another's. It outlives every plugin.
 */
import { bodyOf, decode, encode, keepable, type Payload } from '../protocol/codec.ts';
import { DEFAULT_LIMITS } from '../protocol/limits.ts';
import { Listeners } from './listeners.ts';

interface Entry {
  payload: Payload;
  version: number;
}

export type StateListener = (payload: Payload | undefined) => void;

export class StateStore {
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Listeners<string, StateListener>();
  readonly #onClose = new Set<() => void>();
  #lastVersion = 0;

  /** `undefined` where there is none. */
  payload(key: string): Payload | undefined {
    return this.#entries.get(key)?.payload;
  }

  get(key: string): unknown {
    const payload = this.payload(key);
    return payload && decode(bodyOf(payload), DEFAULT_LIMITS);
  }

  /** 0 where there is none. */
  version(key: string): number {
    return this.#entries.get(key)?.version ?? 0;
  }

  /** @throws CodecError for a value that can't be sent. */
  set(key: string, value: unknown): void {
    const payload = keepable(encode(value, DEFAULT_LIMITS));
    this.#lastVersion++;
    this.#entries.set(key, { payload, version: this.#lastVersion });
    this.#tell(key, payload);
  }

  /** Sets only where nobody has since `version` was read. */
  swap(key: string, value: unknown, version: number): boolean {
    if (this.version(key) !== version) return false;
    this.set(key, value);
    return true;
  }

  delete(key: string): boolean {
    const existed = this.#entries.delete(key);
    if (existed) this.#tell(key, undefined);
    return existed;
  }

  keys(): string[] {
    return [...this.#entries.keys()];
  }

  /** Called with the encoded value after each change. Returns what ends it. */
  onChange(key: string, listener: StateListener): () => void {
    return this.#listeners.add(key, listener);
  }

  /** Called when nothing will change any more. Returns what ends it. */
  onClose(listener: () => void): () => void {
    this.#onClose.add(listener);
    return () => {
      this.#onClose.delete(listener);
    };
  }

  close(): void {
    for (const listener of this.#onClose) listener();
  }

  #tell(key: string, payload: Payload | undefined): void {
    for (const listener of this.#listeners.of(key)) listener(payload);
  }
}
