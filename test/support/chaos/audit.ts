/** After a chaos run: what calls, stats, events and shared state say, held against each other. */
import type { CallCounts } from 'troupe';

import type { World } from './chaos.ts';
import type { Account } from './ledger.ts';

type Settled = 'succeeded' | 'failed' | 'timedOut' | 'aborted' | 'crashed';
const SETTLED: readonly Settled[] = ['succeeded', 'failed', 'timedOut', 'aborted', 'crashed'];

export async function audit(world: World): Promise<string[]> {
  return [
    ...world.ledger.unsettled(),
    ...crashes(world),
    ...listening(world),
    ...(await runs(world)),
    ...(await counts(world)),
  ];
}

/** Each plugin's counts add up, and are those of the calls that were made. */
async function counts({ manager, cast, ledger, witness }: World): Promise<string[]> {
  const problems: string[] = [];
  const claim = (isSo: boolean, id: string, what: string): void => {
    if (!isSo) problems.push(`${id}: ${what}`);
  };
  for (const member of cast.members) {
    const { id } = member;
    const stats = await manager.stats(id);
    if (!stats) return [`${id} has no stats`];
    const { calls, restarts } = stats;
    const told = `${JSON.stringify(calls)} and not ${JSON.stringify(ledger.accountOf(member))}`;
    const settled = SETTLED.reduce((sum, how) => sum + calls[how], 0);
    claim(calls.started === settled, id, `its calls do not add up: ${told}`);
    claim(agrees(calls, ledger.accountOf(member), member.isCalled), id, `stats say ${told}`);
    claim(
      restarts === witness.count('restarted', id),
      id,
      `${String(restarts)} restarts, ${String(witness.count('restarted', id))} told`,
    );
    claim(
      calls.deadLetters === witness.count('dead-letter', id),
      id,
      `${String(calls.deadLetters)} dead letters, ${String(witness.count('dead-letter', id))} told`,
    );
  }
  return problems;
}

/** Where only the program calls it, exactly; else at least. A broken-off stream is either. */
function agrees(calls: CallCounts, account: Account, isCalledByOthers: boolean): boolean {
  const least = account.started <= calls.started && account.deadLetters <= calls.deadLetters;
  if (isCalledByOthers) return least && SETTLED.every((how) => account[how] <= calls[how]);
  if (calls.started !== account.started) return false;
  const over = SETTLED.map((how) => calls[how] - account[how]);
  return over.every((count) => count >= 0) && over.reduce((a, b) => a + b) === account.loose;
}

/** Who is told that its plugin crashed can name the life that did. */
function crashes({ ledger, witness }: World): string[] {
  return [...ledger.crashes()]
    .filter(({ id, generation }) => !witness.hasCrashed(id, generation))
    .map(
      ({ where, generation }) =>
        `${where} was told of the crash of life ${String(generation)}; nobody else was`,
    );
}

/** No call ran more often than it may have, none that answered did not run. */
async function runs({ ledger, manager: { context } }: World): Promise<string[]> {
  const problems: string[] = [];
  for (const { key, min, max, where } of ledger.counted()) {
    const count = Number((await context.state.get(key)) ?? 0);
    if (count >= min && count <= max) continue;
    problems.push(`${where} ran ${String(count)} times, not ${String(min)} to ${String(max)}`);
  }
  return problems;
}

/** A listener that throws is warned of, each time, and hears what comes next all the same. */
function listening({ ledger, witness, listener: { news, thrown } }: World): string[] {
  const problems: string[] = [];
  const told = witness.count('warning');
  if (told < thrown)
    problems.push(`listeners threw ${String(thrown)} times: ${String(told)} warnings`);
  const heard = new Set(news);
  if (heard.size < news.length) problems.push('an event was heard twice');
  for (const { step, where } of ledger.answered('emit')) {
    if (!heard.has(step)) problems.push(`${where} was not heard`);
  }
  return problems;
}
