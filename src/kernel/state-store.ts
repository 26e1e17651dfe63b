/**
 * Shared state of a manager: values by key, kept encoded, so that every read is a copy and no
 * reader can change another's. It outlives every plugin.
 */
import { bodyOf, carriedBytes, decode, encode, keepable, type Payload } from '../protocol/codec.ts';
import { PluginError } from '../protocol/errors.ts';
import { DEFAULT_LIMITS, STATE_BYTES_MAX } from '../protocol/limits.ts';
import { Listeners } from './listeners.ts';

interface Entry {
  payload: Payload;
  version: number;
  /** What it holds, with its key. */
  bytes: number;
}

/** Beside key and value: an entry of the map. */
const ENTRY_BYTES = 128;

export type StateListener = (payload: Payload | undefined) => void;

export class StateStore {
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Listeners<string, StateListener>();
  readonly #onClose = new Set<() => void>();
  readonly #bytesMax: number;
  #lastVersion = 0;
  #bytes = 0;

  /** @param bytesMax for all keys and values together. */
  constructor(bytesMax = STATE_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

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

  /** @throws CodecError for a value that can't be sent, PluginError `PAYLOAD_TOO_LARGE` where it has no room. */
  set(key: string, value: unknown): void {
    const payload = keepable(encode(value, DEFAULT_LIMITS));
    const bytes = ENTRY_BYTES + 2 * key.length + carriedBytes(bodyOf(payload));
    const before = this.#entries.get(key)?.bytes ?? 0;
    if (bytes > before && this.#bytes - before + bytes > this.#bytesMax) {
      const message = `the shared state would hold more than ${String(this.#bytesMax)} bytes; delete what is not needed any more`;
      const data = { bytes: this.#bytes, bytesMax: this.#bytesMax };
      throw new PluginError('PAYLOAD_TOO_LARGE', message, { data });
    }
    this.#bytes += bytes - before;
    this.#lastVersion++;
    this.#entries.set(key, { payload, version: this.#lastVersion, bytes });
    this.#tell(key, payload);
  }

  /** Sets only where nobody has since `version` was read. */
  swap(key: string, value: unknown, version: number): boolean {
    if (this.version(key) !== version) return false;
    this.set(key, value);
    return true;
  }

  delete(key: string): boolean {
    const entry = this.#entries.get(key);
    if (!entry) return false;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
    this.#tell(key, undefined);
    return true;
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
