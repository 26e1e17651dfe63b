/** Draws what plugins are asked for in a chaos run. Most of it is done well. */
import { BAD_DEEDS } from './bad-deeds.ts';
import type { Draw, Errand } from './errand.ts';
import { GOOD_DEEDS } from './good-deeds.ts';

/** Nobody should have to wait that long: a call that ends so has hung. */
export const PATIENCE_MS = 60_000;
const DEEDS = [...GOOD_DEEDS, ...BAD_DEEDS];

export function drawErrand(from: Draw): Errand {
  const { name, draw } = from.random.weighted(
    DEEDS.filter(({ fits }) => fits?.(from.target) ?? true),
  );
  const errand = {
    deed: name,
    input: { do: name },
    ends: ['ok'],
    refused: false,
    abortAfterMs: undefined,
    read: undefined,
    isRight: () => true,
    countedIn: undefined,
    ...draw(from),
  };
  return { ...errand, options: { timeoutMs: PATIENCE_MS, ...errand.options } };
}
