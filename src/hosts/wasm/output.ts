/** What a guest's bytes become on their way out. */
import { isUtf8 } from 'node:buffer';

import type { WasmOutput } from '../../protocol/wasm.ts';
import { GuestError } from './guest-error.ts';

/** @param bytes may be a view that soon shows other things; `keep` makes it a copy. */
export function valueOf(bytes: Buffer, as: WasmOutput, { keep }: { keep: boolean }): unknown {
  switch (as) {
    case 'text':
      return textOf(bytes);
    case 'json':
      return jsonOf(bytes);
    case 'auto':
      if (isUtf8(bytes)) return bytes.toString('utf8');
      return keep ? new Uint8Array(bytes) : bytes;
    case 'bytes':
      return keep ? new Uint8Array(bytes) : bytes;
  }
}

/** @param problem told where it is no text. */
export function textOf(bytes: Buffer, problem = NO_TEXT): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  throw new GuestError(problem);
}

const NO_TEXT = 'its output is not UTF-8; set wasm.output to bytes';

function jsonOf(bytes: Buffer): unknown {
  if (bytes.byteLength === 0) return undefined;
  try {
    return JSON.parse(textOf(bytes)) as unknown;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new GuestError(`its output is not JSON: ${why}`);
  }
}
