/** The text that is evaluated in a VM before its script. */
import type { PluginHooks } from '../../plugin.ts';
import { SPARSE_LENGTH_MAX, UNSENDABLE, VIEWS } from '../../protocol/rich-table.ts';
import { CAUSE_DEPTH_MAX } from '../../protocol/wire-error.ts';
import { guestAnswers } from './guest/answers.ts';
import { guestCalls } from './guest/call.ts';
import { valueCodec } from './guest/codec.ts';
import { entrance, type GuestOptions, type GuestParts } from './guest/entrance.ts';
import { guestErrors } from './guest/errors.ts';
import { lowering } from './guest/lowering.ts';
import { raising } from './guest/raising.ts';
import { guestServices } from './guest/services.ts';
import { sha256 } from './sha256.ts';

export type HookName = keyof PluginHooks;

/** All of them, in the order of a life: one that is missing does not compile. */
const HOOKS: Readonly<Record<HookName, true>> = {
  load: true,
  init: true,
  start: true,
  pause: true,
  resume: true,
  stop: true,
  unload: true,
  execute: true,
  health: true,
  stats: true,
  snapshot: true,
  restore: true,
};

export const HOOK_NAMES = Object.keys(HOOKS) as HookName[];

/** Its frames are left out of the stacks of a script's errors. */
export const GUEST_FILE = 'troupe:guest';

const PARTS: GuestParts = {
  lowering,
  raising,
  valueCodec,
  guestErrors,
  guestCalls,
  guestServices,
  guestAnswers,
};

/** A function of the host's functions and of options in JSON, that returns the entrance. It is the same for all scripts. */
export function guestText(): string {
  return `(host, options) => (${String(entrance)})(host, {${partsText()}}, JSON.parse(options))`;
}

/** For one script. */
export function guestOptions(limits: { payloadDepthMax: number; payloadBytesMax: number }): string {
  const options: GuestOptions = {
    depthMax: limits.payloadDepthMax,
    charsMax: limits.payloadBytesMax,
    sparseLengthMax: SPARSE_LENGTH_MAX,
    unsendable: UNSENDABLE.source,
    viewNames: Object.keys(VIEWS),
    causesMax: CAUSE_DEPTH_MAX,
    hookNames: HOOK_NAMES,
    ownFile: GUEST_FILE,
  };
  return JSON.stringify(options);
}

/** A heap holds this text's functions: with another text it is another engine. */
export function guestVersion(): string {
  return sha256(guestText()).slice(0, 16);
}

function partsText(): string {
  return Object.entries(PARTS)
    .map(([name, part]) => `${name}: ${String(part)}`)
    .join(',\n');
}
