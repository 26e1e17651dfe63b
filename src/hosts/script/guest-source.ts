/** The text that is evaluated in a VM before its script. */
import { createHash } from 'node:crypto';

import { guestAnswers } from './guest/answers.ts';
import { guestCalls } from './guest/call.ts';
import { valueCodec } from './guest/codec.ts';
import { entrance, type GuestOptions, type GuestParts } from './guest/entrance.ts';
import { guestErrors } from './guest/errors.ts';
import { guestServices } from './guest/services.ts';

export const HOOK_NAMES = [
  'load',
  'init',
  'start',
  'pause',
  'resume',
  'stop',
  'unload',
  'execute',
  'health',
  'stats',
  'snapshot',
  'restore',
] as const;

/** Its frames are left out of the stacks of a script's errors. */
export const GUEST_FILE = 'troupe:guest';

const PARTS: GuestParts = {
  valueCodec,
  guestErrors,
  guestCalls,
  guestServices,
  guestAnswers,
};

/** A function of the host's functions, that returns the entrance. */
export function guestSource(limits: { payloadDepthMax: number; payloadBytesMax: number }): string {
  const options: GuestOptions = {
    depthMax: limits.payloadDepthMax,
    charsMax: limits.payloadBytesMax,
    hookNames: HOOK_NAMES,
    ownFile: GUEST_FILE,
  };
  return `(host) => (${String(entrance)})(host, {${partsText()}}, ${JSON.stringify(options)})`;
}

/** A heap holds this text's functions: with another text it is another engine. */
export function guestVersion(): string {
  return createHash('sha256')
    .update(`${String(entrance)}${partsText()}`)
    .digest('hex')
    .slice(0, 16);
}

function partsText(): string {
  return Object.entries(PARTS)
    .map(([name, part]) => `${name}: ${String(part)}`)
    .join(',\n');
}
