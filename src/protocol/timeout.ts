/** How long a call may take, as its caller says it. */
import { kindOf } from './kind-of.ts';

/** @throws TypeError for what is no time: a number that is not negative; `Infinity` is none, as 0 is. */
export function timeoutOf(timeoutMs: number): number {
  if (typeof timeoutMs === 'number' && timeoutMs >= 0)
    return timeoutMs === Infinity ? 0 : timeoutMs;
  throw new TypeError(`timeoutMs must be a number of milliseconds, not ${kindOf(timeoutMs)}`);
}
