/**
 * Contenders take turns, round by round, so that the machine's mood is the same for each. The first
 * round of each section only warms up. Who hangs, throws or answers wrongly is out, by name, and the
 * others go on.
 */
import { setImmediate } from 'node:timers/promises';

import type { Contender } from '../contenders/contender.ts';
import type { QuestionOptions } from '../question.ts';
import { within } from './deadline.ts';
import type { Row } from './row.ts';

export interface Entrant {
  contender: string;
  settings: string;
  start(): Promise<Started>;
}

export interface Started {
  /** One turn of a section: what it came to, by the group of the answer. */
  measure(section: string): Promise<Record<string, number>>;
  stop(): Promise<unknown>;
}

export function entrant(contender: Contender, start: () => Promise<Started>): Entrant {
  return { contender: contender.name, settings: contender.settings, start };
}

/** Of which nothing is up before a turn or after it. */
export function fresh(
  { name, settings }: Pick<Contender, 'name' | 'settings'>,
  measure: Started['measure'],
): Entrant {
  const started: Started = { measure, stop: async () => undefined };
  return { contender: name, settings, start: async () => started };
}

export interface RoundsOptions extends Pick<QuestionOptions, 'progress' | 'only'> {
  rounds: number;
  /** Measured one after the other, all rounds of one before the next. */
  sections?: readonly string[];
  /** For a start, and for a turn. */
  deadlineMs?: number;
  /** False where a turn needs no warming up: a start, a process of its own. */
  warmUp?: boolean;
}

const DEADLINE_MS = 20_000;
const END_MS = 2_000;

export async function inRounds(
  entrants: readonly Entrant[],
  options: RoundsOptions,
): Promise<Row[]> {
  const { rounds, sections = [''], deadlineMs = DEADLINE_MS, warmUp = true, only } = options;
  const runners: Runner[] = entrants
    .filter(({ contender }) => !only || only.includes(contender))
    .map((entrant) => ({ entrant, started: undefined, failed: undefined, values: new Map() }));
  for (const runner of runners) {
    options.progress(`start of ${runner.entrant.contender}`);
    await attempt(runner, deadlineMs, async () => {
      runner.started = await runner.entrant.start();
    });
  }
  for (const section of sections) {
    for (let round = warmUp ? 0 : 1; round <= rounds; round++) {
      // there and back, so that nobody always follows the same one
      const order = round % 2 === 0 ? runners : runners.toReversed();
      for (const runner of order.filter(({ failed }) => failed === undefined)) {
        options.progress(progressSaid(section, round, rounds, runner.entrant.contender));
        await turn(runner, section, { deadlineMs, isCounted: round > 0 });
      }
    }
  }
  for (const runner of runners) await end(runner);
  return rowsOf(runners);
}

interface Runner {
  entrant: Entrant;
  started: Started | undefined;
  failed: string | undefined;
  values: Map<string, number[]>;
}

interface Turn {
  deadlineMs: number;
  isCounted: boolean;
}

async function turn(
  runner: Runner,
  section: string,
  { deadlineMs, isCounted }: Turn,
): Promise<void> {
  await settle();
  await attempt(runner, deadlineMs, async () => {
    const figures = (await runner.started?.measure(section)) ?? {};
    if (!isCounted) return;
    for (const [group, value] of Object.entries(figures)) {
      const values = runner.values.get(group) ?? [];
      runner.values.set(group, [...values, value]);
    }
  });
  // what is late of it must not meet the others
  if (runner.failed !== undefined) await end(runner);
}

/**
 * So that nobody pays for the garbage of who was before. Of the young alone: a full collection also
 * throws away optimised code whose objects are gone, and the next turn would be spent compiling.
 */
async function settle(): Promise<void> {
  await setImmediate();
  globalThis.gc?.({ type: 'minor' });
  await setImmediate();
}

async function attempt(
  runner: Runner,
  deadlineMs: number,
  act: () => Promise<void>,
): Promise<void> {
  try {
    await within(deadlineMs, act());
  } catch (error) {
    runner.failed ??= error instanceof Error ? error.message : String(error);
  }
}

async function end(runner: Runner): Promise<void> {
  const { started } = runner;
  runner.started = undefined;
  // what was measured stays true where only the end goes wrong
  if (started) await within(END_MS, started.stop()).catch(() => undefined);
}

function progressSaid(section: string, round: number, rounds: number, contender: string): string {
  const where = section === '' ? '' : `${section}, `;
  const which = round === 0 ? 'warm-up' : `round ${String(round)} of ${String(rounds)}`;
  return `${where}${which}: ${contender}`;
}

/**
 * By group, in the order in which groups came up. A contender that failed is in every group where it
 * has not been through all rounds.
 */
function rowsOf(runners: readonly Runner[]): Row[] {
  const groups = [...new Set(runners.flatMap(({ values }) => [...values.keys()]))];
  const roundsOf = new Map(
    groups.map((group) => [
      group,
      Math.max(...runners.map(({ values }) => values.get(group)?.length ?? 0)),
    ]),
  );
  return (groups.length > 0 ? groups : ['']).flatMap((group) =>
    runners.flatMap(({ entrant: { contender, settings }, failed, values }): Row[] => {
      const measured = values.get(group) ?? [];
      const isWhole = measured.length > 0 && measured.length === roundsOf.get(group);
      if (isWhole) return [{ group, contender, settings, values: measured }];
      return failed === undefined ? [] : [{ group, contender, settings, failed }];
    }),
  );
}
