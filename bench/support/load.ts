/** Keeps calls open for a while, checks every answer, and says how it went. Times are of a monotonic clock. */
import type { Running } from '../contenders/contender.ts';
import { quantile } from './statistics.ts';

type Call = Running['call'];

export interface LoadOptions {
  inFlight: number;
  runMs: number;
}

/** A small object, as a call's input usually is; each is another one. */
export interface Small {
  id: number;
  name: string;
  tags: string[];
}

export function small(id: number): Small {
  return { id, name: 'small', tags: ['a', 'b'] };
}

/** Echo calls of small objects, each caller in a lane of its own. */
export async function echoesPerSecond(call: Call, load: LoadOptions): Promise<number> {
  return callsPerSecond(async (lane, at) => {
    const output = await call(small(at), lane);
    if ((output as Small).id !== at) throw wrongAnswer(output);
  }, load);
}

/** Each of `inFlight` callers makes its next call when the last one was answered. */
export async function callsPerSecond(
  callOnce: (lane: number, at: number) => Promise<void>,
  { inFlight, runMs }: LoadOptions,
): Promise<number> {
  const startedAt = performance.now();
  const endAt = startedAt + runMs;
  let calls = 0;
  const callers = Array.from({ length: inFlight }, async (_, lane) => {
    while (performance.now() < endAt) {
      calls++;
      await callOnce(lane, calls);
    }
  });
  await Promise.all(callers);
  return calls / ((performance.now() - startedAt) / 1_000);
}

/** Of small echo calls, one at a time (µs). */
export async function echoLatencies(
  call: Call,
  runMs: number,
): Promise<{ p50: number; p99: number }> {
  const tookUs: number[] = [];
  const endAt = performance.now() + runMs;
  for (let at = 0, now = performance.now(); now < endAt; at++) {
    const output = await call(small(at), 0);
    const then = performance.now();
    tookUs.push((then - now) * 1_000);
    if ((output as Small).id !== at) throw wrongAnswer(output);
    now = performance.now();
  }
  tookUs.sort((a, b) => a - b);
  return { p50: quantile(tookUs, 0.5), p99: quantile(tookUs, 0.99) };
}

export function wrongAnswer(output: unknown): Error {
  return new Error(`a wrong answer: ${JSON.stringify(output)?.slice(0, 100) ?? String(output)}`);
}
