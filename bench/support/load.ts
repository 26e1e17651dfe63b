/** Keeps calls open for a while, checks every answer, and says how it went. Times are of a monotonic clock. */
import type { Course, Contender, Running } from '../contenders/contender.ts';
import { quantile } from './statistics.ts';

type Call = Running['call'];

export interface LoadOptions {
  inFlight: number;
  runMs: number;
}

/** Sections of a question, by how many calls are open. */
export function inFlightSections(...counts: readonly number[]): ReadonlyMap<string, number> {
  return new Map(counts.map((count) => [`${count.toLocaleString('en')} in flight`, count]));
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

/**
 * Each of `inFlight` callers makes its next call when the last one was answered. Counted is from one
 * answer to another: neither the run-up nor what is still open in the end.
 */
export async function callsPerSecond(
  callOnce: (lane: number, at: number) => Promise<void>,
  { inFlight, runMs }: LoadOptions,
): Promise<number> {
  const startedAt = performance.now();
  const [countFrom, countTo] = [startedAt + runMs * RUN_UP, startedAt + runMs];
  let [calls, answers] = [0, 0];
  let first: Counted | undefined;
  let last: Counted | undefined;
  let hasFailed = false;
  const callers = Array.from({ length: inFlight }, async (_, lane) => {
    while (!last && !hasFailed) {
      calls++;
      try {
        await callOnce(lane, calls);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
      answers++;
      const now = performance.now();
      if (now < countFrom) continue;
      first ??= { answers, at: now };
      if (now >= countTo) last ??= { answers, at: now };
    }
  });
  await Promise.all(callers);
  if (!first || !last || first.answers === last.answers) throw new Error('too slow to be counted');
  return (last.answers - first.answers) / ((last.at - first.at) / 1_000);
}

interface Counted {
  answers: number;
  at: number;
}

/** Of a turn: what comes first is not counted, while caches and branches are still another's. */
export const RUN_UP = 0.2;

/** Of small echo calls, one at a time (µs). */
export async function echoLatencies(
  call: Call,
  runMs: number,
): Promise<{ p50: number; p99: number }> {
  const tookUs = await latenciesUs(async (at) => {
    const output = await call(small(at), 0);
    if ((output as Small).id !== at) throw wrongAnswer(output);
  }, runMs);
  return { p50: quantile(tookUs, 0.5), p99: quantile(tookUs, 0.99) };
}

/** One call at a time: what each took, the shortest first. */
export async function latenciesUs(
  callOnce: (at: number) => Promise<void>,
  runMs: number,
): Promise<number[]> {
  const tookUs: number[] = [];
  const startedAt = performance.now();
  const [countFrom, countTo] = [startedAt + runMs * RUN_UP, startedAt + runMs];
  for (let at = 0, now = startedAt; now < countTo; at++) {
    const since = performance.now();
    await callOnce(at);
    now = performance.now();
    if (since >= countFrom) tookUs.push((now - since) * 1_000);
  }
  return tookUs.toSorted((a, b) => a - b);
}

/** From nothing to the first answer (ms); then it is ended. */
export async function bootMs({ start }: Pick<Contender, 'start'>, course: Course): Promise<number> {
  const startedAt = performance.now();
  const { call, stop } = await start(course);
  const output = await call(1, 0);
  const tookMs = performance.now() - startedAt;
  if (output !== 1) throw wrongAnswer(output);
  await stop();
  return tookMs;
}

export function wrongAnswer(output: unknown): Error {
  return new Error(`a wrong answer: ${JSON.stringify(output)?.slice(0, 100) ?? String(output)}`);
}
