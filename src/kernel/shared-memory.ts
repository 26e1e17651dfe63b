/** Shared memory by name: the first to ask makes it, the others get the same. */
import { PluginError } from '../protocol/errors.ts';

export class SharedMemory {
  readonly #buffers = new Map<string, SharedArrayBuffer>();

  /** @throws PluginError `INVALID_STATE` where the name exists in another size. */
  get(name: string, byteLength: number): SharedArrayBuffer {
    const known = this.#buffers.get(name);
    if (known) {
      if (known.byteLength === byteLength) return known;
      throw new PluginError(
        'INVALID_STATE',
        `the shared memory ${name} has ${String(known.byteLength)} bytes, not ${String(byteLength)}`,
        { data: { name, byteLength: known.byteLength } },
      );
    }
    const buffer = new SharedArrayBuffer(byteLength);
    this.#buffers.set(name, buffer);
    return buffer;
  }
}
