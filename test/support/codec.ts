/** Short ways through the codec. */
import { Packr } from 'msgpackr/pack';

import { CodecError } from '../../src/protocol/codec-error.ts';
import { bodyOf, decode, encode, type Body, type PayloadLimits } from '../../src/protocol/codec.ts';
import { FLAG } from '../../src/protocol/frame.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';

export const LIMITS: PayloadLimits = DEFAULT_LIMITS;

/** There and back, as over a carrier that shares no memory. */
export function roundTrip<T>(value: T, limits: PayloadLimits = LIMITS): T {
  return decode(bodyOf(encode(value, limits)), limits) as T;
}

export function bodyFrom(bytes: Uint8Array, flags = 0, attachments: readonly unknown[] = []): Body {
  return { bytes, start: 0, end: bytes.byteLength, flags, attachments };
}

const packr = new Packr({ useRecords: false, variableMapSize: true });

/** A table of nodes as a forger would write it. */
export function tableOf(nodes: unknown[], root: unknown = [0]): Body {
  return bodyFrom(new Uint8Array(packr.pack({ nodes, root })), FLAG.rich);
}

/** What was thrown; a CodecError, or the test fails. */
export function refusalOf(act: () => unknown): CodecError {
  try {
    act();
  } catch (error) {
    if (error instanceof CodecError) return error;
    throw new Error(`not a CodecError: ${String(error)}`, { cause: error });
  }
  throw new Error('it was not refused');
}

/** Decodes, or is refused with a CodecError: any other outcome is a fault of the codec. */
export function decodeOrRefuse(body: Body, limits: PayloadLimits = LIMITS): unknown {
  try {
    return decode(body, limits);
  } catch (error) {
    if (error instanceof CodecError) return error;
    throw error;
  }
}
