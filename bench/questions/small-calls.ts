/** How many small echo calls a second does one worker answer, at 1, 16 and 256 in flight? */
import { bare } from '../contenders/bare.ts';
import { comlink } from '../contenders/comlink.ts';
import type { Contender, Running } from '../contenders/contender.ts';
import { piscina } from '../contenders/piscina.ts';
import { troupe } from '../contenders/troupe.ts';
import { spreadOf, type Spread } from '../support/statistics.ts';

export interface SmallCallsRow {
  contender: string;
  settings: string;
  inFlight: number;
  callsPerSecond: Spread;
  /** Medians of the same run. */
  ratioToBare: number;
}

export interface SmallCallsOptions {
  /** Runs counted, after one that is not. */
  runs: number;
  /** Length of one run (ms). */
  runMs: number;
  progress(what: string): void;
}

export const CONTENDERS: readonly Contender[] = [troupe, bare, piscina, comlink];
export const IN_FLIGHT = [1, 16, 256] as const;

/** A small object, as a call's input usually is. */
const INPUT = { id: 42, name: 'small', tags: ['a', 'b'] };

/** All contenders are up at once and take turns, so that the machine's mood is the same for each. */
export async function smallCalls(options: SmallCallsOptions): Promise<SmallCallsRow[]> {
  const running = await Promise.all(
    CONTENDERS.map(async (contender) => ({ contender, instance: await contender.start() })),
  );
  const rows: SmallCallsRow[] = [];
  for (const inFlight of IN_FLIGHT) {
    const rates = new Map<Contender, number[]>();
    for (let run = 0; run <= options.runs; run++) {
      for (const { contender, instance } of running) {
        options.progress(
          `${String(inFlight)} in flight, run ${String(run)} of ${String(options.runs)}: ${contender.name}`,
        );
        const rate = await callsPerSecond(instance, inFlight, options.runMs);
        // the first run only warms up
        if (run > 0) rates.set(contender, [...(rates.get(contender) ?? []), rate]);
      }
    }
    const floor = spreadOf(rates.get(bare) ?? []).median;
    for (const { contender } of running) {
      const callsPerSecond = spreadOf(rates.get(contender) ?? []);
      const { name, settings } = contender;
      const ratioToBare = callsPerSecond.median / floor;
      rows.push({ contender: name, settings, inFlight, callsPerSecond, ratioToBare });
    }
  }
  await Promise.all(running.map(({ instance }) => instance.stop()));
  return rows;
}

/** Keeps `inFlight` calls open for `runMs`, and counts the answers. */
async function callsPerSecond(instance: Running, inFlight: number, runMs: number): Promise<number> {
  const start = performance.now();
  const end = start + runMs;
  let answered = 0;
  const caller = async (): Promise<void> => {
    while (performance.now() < end) {
      await instance.call(INPUT);
      answered++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  return answered / ((performance.now() - start) / 1_000);
}
