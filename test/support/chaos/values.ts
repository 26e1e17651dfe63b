/** Any value that can be sent and compared: nested, odd keys included. */
import type { Random } from './random.ts';

const LEAVES: readonly ((random: Random) => unknown)[] = [
  (random) => random.int(2 ** 31),
  (random) => random.next(),
  () => -0,
  () => Number.NaN,
  () => undefined,
  () => null,
  (random) => BigInt(random.int(2 ** 31)) ** 3n,
  (random) => 'ünïcode \u{1f642} '.repeat(random.int(20)),
  (random) => new Date(random.int(2 ** 31)),
  () => /re+g(?<name>ex)?/giu,
  (random) => Uint16Array.from({ length: random.int(50) }, () => random.int(65_536)),
  // an own key, as a text from outside may have it
  () => JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}') as unknown,
];

export function anyValue(random: Random, depth = 3): unknown {
  if (depth === 0 || random.chance(0.4)) return random.pick(LEAVES)(random);
  const parts = Array.from({ length: random.int(4) }, () => anyValue(random, depth - 1));
  switch (random.int(4)) {
    case 0:
      return parts;
    case 1:
      return new Map(parts.map((part, i) => [i, part]));
    case 2:
      return new Set(parts);
    default:
      return Object.fromEntries(parts.map((part, i) => [`key ${String(i)}`, part]));
  }
}
