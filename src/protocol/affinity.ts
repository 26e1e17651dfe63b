/**
 * Which calls belong together, as a number that fits beside a route in a frame's header: equal
 * keys have equal numbers, other keys rarely do. 0 is no affinity.
 */
import { kindOf } from './kind-of.ts';

const NO_AFFINITY = 0;

/** A call's route takes the lower half of its word, its affinity the upper one. */
const AFFINITY_BITS = 16;
const AFFINITIES = 2 ** AFFINITY_BITS - 1;

/** 1 to 65,535; `7` and `'7'` are the same key. @throws TypeError for what is no key. */
export function affinityOf(key: string | number | undefined): number {
  if (key === undefined) return NO_AFFINITY;
  if (typeof key !== 'string' && !Number.isFinite(key)) {
    throw new TypeError(`affinity must be a string or a finite number, not ${kindOf(key)}`);
  }
  return (fnv1a(String(key)) % AFFINITIES) + 1;
}

export function withAffinity(route: number, affinity: number): number {
  return ((affinity << AFFINITY_BITS) | route) >>> 0;
}

export function splitRoute(word: number): { route: number; affinity: number } {
  return { route: word & AFFINITIES, affinity: word >>> AFFINITY_BITS };
}

/** Spreads the bits of a number over all of it (the finalizer of MurmurHash3). */
export function mixed(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85eb_ca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2_ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

function fnv1a(text: string): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193);
  }
  return mixed(hash);
}
