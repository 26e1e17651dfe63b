/** What crosses between a thread and its VM: texts, numbers and bytes, by value. */
import type { JSValueHandle, QuickJS } from 'quickjs-wasi';

export type Crossing = string | number | Uint8Array | undefined;

/** A function of the thread's that the VM can call. It must not throw: its stack would be seen there. */
export type HostFunction = (...args: Crossing[]) => string | Uint8Array | undefined;

/** Reads without running anything of the script's: what is of another kind is nothing. */
export function crossingOf(handle: JSValueHandle): Crossing {
  if (handle.isString) return handle.toString();
  if (handle.isNumber) return handle.toNumber();
  return handle.isArrayBuffer ? handle.toUint8Array() : undefined;
}

/** @throws RangeError with the code `SCRIPT_MEMORY` where the VM has no room for it. */
export function newText(vm: QuickJS, text: string): JSValueHandle {
  const handle = madeOf(vm, text);
  if (handle && (text.length < LONG_TEXT_CHARS || handle.isString)) return handle;
  const error = new RangeError('the value does not fit into script.memoryMb');
  throw Object.assign(error, { code: 'SCRIPT_MEMORY' });
}

/** A text longer than this is looked at: whether the VM had room for it (characters). */
const LONG_TEXT_CHARS = 64 * 1024;

function madeOf(vm: QuickJS, text: string): JSValueHandle | undefined {
  try {
    return vm.newString(text);
  } catch {
    return undefined;
  }
}
