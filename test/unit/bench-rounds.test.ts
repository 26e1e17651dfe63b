import { describe, expect, it } from 'vitest';

import { callsPerSecond, latenciesUs } from '../../bench/support/load.ts';
import { inRounds, type Entrant } from '../../bench/support/rounds.ts';

const NEVER = new Promise<never>(() => undefined);
const silent = { progress: () => undefined };

/** Gives 1, 2, 3, …; notes its turns and its end. */
function entrant(
  contender: string,
  log: string[],
  act: () => Promise<void> | void = () => {},
): Entrant {
  let turns = 0;
  return {
    contender,
    settings: 'default',
    start: async () => ({
      async measure(section) {
        log.push(`${contender} ${section}`.trim());
        await act();
        turns++;
        return { [section || 'all']: turns };
      },
      async stop() {
        log.push(`${contender} ends`);
      },
    }),
  };
}

describe('contenders in rounds', () => {
  it('take turns there and back, and the first round is not counted', async () => {
    const log: string[] = [];
    const rows = await inRounds([entrant('a', log), entrant('b', log)], { rounds: 2, ...silent });
    expect(log).toEqual(['a', 'b', 'b', 'a', 'a', 'b', 'a ends', 'b ends']);
    expect(rows).toEqual([
      { group: 'all', contender: 'a', settings: 'default', values: [2, 3] },
      { group: 'all', contender: 'b', settings: 'default', values: [2, 3] },
    ]);
  });

  it('go through one section after the other', async () => {
    const rows = await inRounds([entrant('a', [])], {
      rounds: 2,
      sections: ['x', 'y'],
      warmUp: false,
      ...silent,
    });
    expect(rows).toEqual([
      { group: 'x', contender: 'a', settings: 'default', values: [1, 2] },
      { group: 'y', contender: 'a', settings: 'default', values: [3, 4] },
    ]);
  });

  it('are out, by name, when they hang or throw, and the others go on', async () => {
    const log: string[] = [];
    const hangs = entrant('hangs', log, () => NEVER);
    const throws = entrant('throws', log, () => Promise.reject(new Error('a wrong answer: 2')));
    const fine = entrant('fine', log);
    const rows = await inRounds([hangs, throws, fine], { rounds: 1, deadlineMs: 20, ...silent });
    expect(rows).toEqual([
      { group: 'all', contender: 'hangs', settings: 'default', failed: 'no answer within 0.02 s' },
      { group: 'all', contender: 'throws', settings: 'default', failed: 'a wrong answer: 2' },
      { group: 'all', contender: 'fine', settings: 'default', values: [2] },
    ]);
    expect(log).toEqual([
      'hangs',
      'hangs ends',
      'throws',
      'throws ends',
      'fine',
      'fine',
      'fine ends',
    ]);
  });

  it('that cannot be started are told, too', async () => {
    const stillborn: Entrant = {
      contender: 'stillborn',
      settings: '',
      start: () => Promise.reject(new Error('no such file')),
    };
    expect(await inRounds([stillborn], { rounds: 1, ...silent })).toEqual([
      { group: '', contender: 'stillborn', settings: '', failed: 'no such file' },
    ]);
  });

  it('are those that are asked for', async () => {
    const rows = await inRounds([entrant('a', []), entrant('b', [])], {
      rounds: 1,
      only: ['b'],
      ...silent,
    });
    expect(rows.map(({ contender }) => contender)).toEqual(['b']);
  });
});

describe('a load', () => {
  it('has so many callers, each with one call open, and stops when a call fails', async () => {
    let open = 0;
    let most = 0;
    const load = callsPerSecond(
      async (_lane, at) => {
        open++;
        most = Math.max(most, open);
        await Promise.resolve();
        open--;
        if (at === 100) throw new Error('a wrong answer: 7');
      },
      { inFlight: 4, runMs: 60_000 },
    );
    await expect(load).rejects.toThrow('a wrong answer: 7');
    expect(most).toBe(4);
  });

  it('counts no run-up, and gives what calls took from the shortest on', async () => {
    const took = await latenciesUs(() => new Promise((resolve) => setImmediate(resolve)), 20);
    expect(took.length).toBeGreaterThan(0);
    expect(took).toEqual(took.toSorted((a, b) => a - b));
  });
});
