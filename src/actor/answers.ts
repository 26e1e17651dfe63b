/** What a call's outcome looks like on the wire. */
import { isCodecError } from '../protocol/codec-error.ts';
import { encode, type Payload } from '../protocol/codec.ts';
import { PluginError } from '../protocol/errors.ts';
import { FLAG } from '../protocol/frame.ts';
import { RUNTIME_LIMITS, type Limits } from '../protocol/limits.ts';
import { TRANSFER_MARK } from '../protocol/marks.ts';
import { toWireError, type Redactor } from '../protocol/wire-error.ts';

const MESSAGE_CHARS_KEPT = 1_000;

/** A result or a chunk; what `transfer()` marked is moved. */
export function encodeResult(result: unknown, limits: Limits): Payload {
  if (typeof result === 'object' && result !== null && TRANSFER_MARK in result) {
    const marked = result as { [TRANSFER_MARK]: readonly ArrayBuffer[]; value: unknown };
    return encode(marked.value, limits, marked[TRANSFER_MARK]);
  }
  return encode(result, limits, undefined, 'borrowed');
}

/** Names the guilty side: a value that can't be sent is the runtime's verdict, all else the plugin's error. */
export function encodeFailure(
  error: unknown,
  { pluginId, redactor }: { pluginId: string; redactor: Redactor },
): { payload: Payload; flags: number } {
  if (isCodecError(error)) {
    const refused = new PluginError(error.code, `${pluginId}: ${error.message}`, {
      pluginId,
      data: error.data,
    });
    return { payload: encode(toWireError(refused, redactor), RUNTIME_LIMITS), flags: FLAG.runtime };
  }
  const wire = toWireError(error, redactor);
  try {
    return { payload: encode(wire, RUNTIME_LIMITS), flags: 0 };
  } catch {
    const message = wire.message.slice(0, MESSAGE_CHARS_KEPT);
    return { payload: encode({ name: 'Error', message }, RUNTIME_LIMITS), flags: 0 };
  }
}
