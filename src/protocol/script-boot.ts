/** What the actor of a script is told, where it shares its program's memory. */
import { OnceCell } from './once-cell.ts';

export interface ScriptEngine {
  /** The engine, compiled. */
  code: WebAssembly.Module;
  /** A {@link OnceCell}: a VM in which nothing of a plugin's has run, from the first that was made. */
  image: SharedArrayBuffer;
}

/** Largest such image (bytes). One of quickjs-wasi 3.6 has 1.6 million. */
const IMAGE_BYTES_MAX = 4 * 1_024 * 1_024;

export function createImageCell(): SharedArrayBuffer {
  return OnceCell.create(IMAGE_BYTES_MAX);
}
