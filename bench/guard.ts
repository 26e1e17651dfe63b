/**
 * `npm run bench -- --guard`: a few quick questions, whose ratios must stay within generous bounds,
 * so that a regression of a factor shows. Never times: those are the machine's.
 */
import { readFileSync } from 'node:fs';

import { answerOf } from './asking.ts';
import { QUESTIONS } from './questions/all.ts';
import { boundSaid, comparisonSaid, type Verdict } from './support/comparison.ts';
import { boundsFrom, breached, judged, type Bounded } from './support/guard.ts';
import { printed, progressOf } from './support/print.ts';
import { verdictSaid } from './support/table.ts';

const FILE = new URL('guard.json', import.meta.url);
/** The machine is noisy: only what is out of bounds each time is out of bounds. */
const ATTEMPTS = 3;

/** True when all is within bounds. */
export async function guard(): Promise<boolean> {
  const bounds = boundsFrom(JSON.parse(readFileSync(FILE, 'utf8')), QUESTIONS);
  let open = bounds;
  const verdicts = new Map<Bounded, { verdict: Verdict; attempt: number }>();
  for (let attempt = 1; attempt <= ATTEMPTS && open.length > 0; attempt++) {
    for (const [name, ofQuestion] of byQuestion(open)) {
      const found = await attemptAt(name, ofQuestion);
      for (const [bound, verdict] of found) verdicts.set(bound, { verdict, attempt });
    }
    open = breached(new Map([...verdicts].map(([bound, { verdict }]) => [bound, verdict])));
  }
  const rows = bounds.map((bound) => {
    const { verdict, attempt } = verdicts.get(bound) ?? { verdict: NOT_ASKED, attempt: 0 };
    const [measured, quartiles] = verdictSaid(bound, verdict);
    const outcome = verdict.outcome === 'unknown' ? verdict.reason : OUTCOME[verdict.outcome];
    const compared = comparisonSaid(bound);
    return [
      bound.question,
      compared,
      boundSaid(bound.bound),
      measured,
      quartiles,
      outcome,
      String(attempt),
    ];
  });
  const head = ['question', 'ratio', 'bound', 'measured', 'quartiles', '', 'attempt'];
  console.log(printed({ head, rows }));
  for (const bound of open) {
    console.error(`out of bounds: ${bound.question}, ${comparisonSaid(bound)}: ${bound.reason}`);
  }
  return open.length === 0;
}

const NOT_ASKED: Verdict = { outcome: 'unknown', reason: 'not asked' };
const OUTCOME = { reached: 'within', missed: 'OUT OF BOUNDS' } as const;

async function attemptAt(name: string, bounds: readonly Bounded[]): Promise<Map<Bounded, Verdict>> {
  const progress = progressOf(name, true);
  const only = [...new Set(bounds.flatMap(({ of, against }) => [of.contender, against.contender]))];
  try {
    const { rows } = await answerOf({ name, quick: true, only }, progress.show);
    return judged(bounds, rows, QUESTIONS);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return new Map(bounds.map((bound) => [bound, { outcome: 'unknown', reason }]));
  } finally {
    progress.end();
  }
}

function byQuestion(bounds: readonly Bounded[]): Map<string, Bounded[]> {
  const grouped = new Map<string, Bounded[]>();
  for (const bound of bounds) {
    grouped.set(bound.question, [...(grouped.get(bound.question) ?? []), bound]);
  }
  return grouped;
}
