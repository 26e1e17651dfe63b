/** How many small echo calls a second does one worker answer, at 1, 16 and 256 in flight? */
import { bare } from '../contenders/bare.ts';
import { comlink } from '../contenders/comlink.ts';
import type { Contender, Running } from '../contenders/contender.ts';
import { piscina } from '../contenders/piscina.ts';
import { troupe } from '../contenders/troupe.ts';
import type { Question, QuestionOptions } from '../question.ts';
import { spreadOf, type Spread } from '../support/statistics.ts';

export interface SmallCallsRow {
  contender: string;
  settings: string;
  inFlight: number;
  callsPerSecond: Spread;
  /** Medians of the same run. */
  ratioToBare: number;
}

export const CONTENDERS: readonly Contender[] = [troupe, bare, piscina, comlink];
export const IN_FLIGHT = [1, 16, 256] as const;

/** A small object, as a call's input usually is. */
const INPUT = { id: 42, name: 'small', tags: ['a', 'b'] };

export const smallCalls: Question<SmallCallsRow> = {
  name: 'small-calls',
  title: 'How many small echo calls a second does one worker answer?',
  ask,
  table: (rows) => ({
    head: ['in flight', 'contender', 'calls/s', 'min – max', '× bare', 'settings'],
    rows: rows.map((row, at) => {
      const { median, min, max } = row.callsPerSecond;
      return [
        row.inFlight === rows[at - 1]?.inFlight ? '' : String(row.inFlight),
        row.contender,
        thousands(median),
        `${thousands(min)} – ${thousands(max)}`,
        row.ratioToBare.toFixed(2),
        row.settings,
      ];
    }),
  }),
  answer: (rows) => IN_FLIGHT.map((inFlight) => verdict(rows, inFlight)),
};

/** All contenders are up at once and take turns, so that the machine's mood is the same for each. */
async function ask({ quick, progress }: QuestionOptions): Promise<SmallCallsRow[]> {
  const [runs, runMs] = quick ? [3, 200] : [7, 1_000];
  const running = await Promise.all(
    CONTENDERS.map(async (contender) => ({ contender, instance: await contender.start() })),
  );
  const rows: SmallCallsRow[] = [];
  for (const inFlight of IN_FLIGHT) {
    const rates = new Map<Contender, number[]>();
    for (let run = 0; run <= runs; run++) {
      for (const { contender, instance } of running) {
        progress(
          `${String(inFlight)} in flight, run ${String(run)} of ${String(runs)}: ${contender.name}`,
        );
        const rate = await callsPerSecond(instance, inFlight, runMs);
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

function verdict(rows: readonly SmallCallsRow[], inFlight: number): string {
  const rate = (name: string): number =>
    rows.find((row) => row.inFlight === inFlight && row.contender === name)?.callsPerSecond
      .median ?? Number.NaN;
  const against = ['bare postMessage', 'piscina', 'comlink'].map(
    (name) => `${(rate('troupe') / rate(name)).toFixed(1)} × ${name}`,
  );
  return `${String(inFlight)} in flight: troupe is ${against.join(', ')}`;
}

function thousands(value: number): string {
  return `${(value / 1_000).toFixed(value < 10_000 ? 1 : 0)} k`;
}
