import { describe, expect, it } from 'vitest';

import { DEFAULT_RESTART, type RestartOptions } from '../../src/protocol/limits.ts';
import {
  decideGroup,
  STRATEGIES,
  type ChildStatus,
  type GroupBudget,
  type GroupChild,
  type GroupDecision,
  type Strategy,
} from '../../src/supervisor/group-policy.ts';
import { NO_RESTARTS, type End, type RestartHistory } from '../../src/supervisor/restart-policy.ts';
import { fc } from '../support/properties.ts';

const NOW = { now: 1_000, random: () => 0 };

/** Three children that are up; who ended; what is stopped → what is started, each in order. */
const ROUNDS: [Strategy, string, string][] = [
  ['one-for-one', 'a', '→ a'],
  ['one-for-one', 'b', '→ b'],
  ['one-for-one', 'c', '→ c'],
  ['one-for-all', 'a', 'c b → a b c'],
  ['one-for-all', 'b', 'c a → a b c'],
  ['one-for-all', 'c', 'b a → a b c'],
  ['rest-for-one', 'a', 'c b → a b c'],
  ['rest-for-one', 'b', 'c → b c'],
  ['rest-for-one', 'c', '→ c'],
];

/** What the child is, how it ended, and whether anything follows from it. */
const WANTED: [RestartOptions['type'], End, boolean][] = [
  ['permanent', 'normal', true],
  ['permanent', 'shutdown', true],
  ['permanent', 'abnormal', true],
  ['transient', 'normal', false],
  ['transient', 'shutdown', false],
  ['transient', 'abnormal', true],
  ['temporary', 'normal', false],
  ['temporary', 'shutdown', false],
  ['temporary', 'abnormal', false],
];

describe('a group whose child ended', () => {
  it.each(ROUNDS)('%s, %s ended: %s', (strategy, id, round) => {
    expect(inWords(decide(budget(strategy), three(), id))).toBe(round);
  });

  it.each(WANTED)('a %s child that ends %s is restarted: %s', (type, end, wanted) => {
    for (const strategy of STRATEGIES) {
      const [a, b, c] = three();
      const decision = decide(
        budget(strategy),
        [a, { ...b, restart: { ...b.restart, type } }, c],
        'b',
        end,
      );
      expect(decision.do).toBe(wanted ? 'restart' : 'nothing');
    }
  });

  it('stops a temporary sibling with the others, and leaves it down', () => {
    const [a, b, c] = three();
    const temporary = { ...b, restart: { ...b.restart, type: 'temporary' as const } };
    expect(inWords(decide(budget('one-for-all'), [a, temporary, c], 'c'))).toBe('b a → a c');
  });

  it.each([
    ['finished', 'a → a b c'],
    ['stopped', 'a → a c'],
  ] as const)('finds a sibling %s: %s', (status, round) => {
    const [a, b, c] = three();
    expect(inWords(decide(budget('one-for-all'), [a, { ...b, status }, c], 'c'))).toBe(round);
  });

  it('gives up beyond its intensity, whichever child it was, and ends all in reverse', () => {
    for (const strategy of STRATEGIES) {
      let history = NO_RESTARTS;
      for (const id of ['a', 'b', 'c']) {
        const decision = decide(budget(strategy), three(), id, 'abnormal', history);
        if (decision.do !== 'restart') throw new Error(`${id} is not restarted`);
        ({ history } = decision);
      }
      expect(decide(budget(strategy), three(), 'b', 'abnormal', history)).toEqual({
        do: 'give-up',
        why: 'too-often',
        stop: ['c', 'a'],
      });
    }
  });

  it('forgets restarts that are older than its period', () => {
    const history: RestartHistory = { restarts: [0, 1, 2], streak: 3 };
    expect(decide(budget('one-for-one'), three(), 'a', 'abnormal', history, 1_002).do).toBe(
      'give-up',
    );
    expect(decide(budget('one-for-one'), three(), 'a', 'abnormal', history, 5_000).do).toBe(
      'restart',
    );
  });

  it('gives up at once where trying again cannot help', () => {
    const ended = { id: 'a', end: 'abnormal' as const, permanent: true };
    expect(decideGroup(budget('one-for-one'), three(), NO_RESTARTS, ended, NOW)).toEqual({
      do: 'give-up',
      why: 'permanent-error',
      stop: ['c', 'b'],
    });
  });

  it('does not listen to the budget of the child, but to its backoff', () => {
    const [a] = three();
    const backoff = { minMs: 50, maxMs: 1_000, factor: 2, jitter: 0 };
    const child: GroupChild = { ...a, restart: { ...a.restart, intensity: 0, backoff } };
    const first = decide(budget('one-for-one'), [child], 'a');
    if (first.do !== 'restart') throw new Error('not restarted');
    const second = decide(budget('one-for-one'), [child], 'a', 'abnormal', first.history);
    expect([first.delayMs, second]).toEqual([0, expect.objectContaining({ delayMs: 50 })]);
  });

  it('knows no child that is not its own', () => {
    expect(decide(budget('one-for-all'), three(), 'z')).toEqual({ do: 'nothing' });
  });
});

describe('the policy beside a small model of OTP', () => {
  const child = fc.record({
    type: fc.constantFrom<RestartOptions['type']>('permanent', 'transient', 'temporary'),
    status: fc.constantFrom<ChildStatus>('up', 'finished', 'stopped'),
  });
  const end = fc.record({
    at: fc.nat(),
    end: fc.constantFrom<End>('normal', 'shutdown', 'abnormal'),
    afterMs: fc.nat(3_000),
  });

  it('decides as the model does, through any series of ends', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...STRATEGIES),
        fc.array(child, { minLength: 1, maxLength: 6 }),
        fc.nat(4),
        fc.array(end, { maxLength: 20 }),
        (strategy, kinds, intensity, ends) => {
          const group = kinds.map(({ type, status }, i) => named(String(i), type, status));
          const options = { strategy, intensity, periodMs: 5_000 };
          let history = NO_RESTARTS;
          let model: number[] = [];
          let now = 0;
          for (const { at, end: how, afterMs } of ends) {
            now += afterMs;
            const ended = group[at % group.length];
            if (!ended) continue;
            const decision = decide(options, group, ended.id, how, history, now);
            const expected = otp(options, group, ended, how, model, now);
            expect(shape(decision)).toEqual(expected);
            if (decision.do === 'give-up') return;
            if (decision.do === 'restart') {
              ({ history } = decision);
              model = [...model.filter((time) => now - time < 5_000), now];
            }
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

/** supervisor.erl in a few lines: wanted? within MaxR in MaxT? then terminate and start by strategy. */
function otp(
  { strategy, intensity, periodMs }: GroupBudget,
  group: readonly GroupChild[],
  ended: GroupChild,
  end: End,
  restarts: readonly number[],
  now: number,
): unknown {
  const { type } = ended.restart;
  if (type === 'temporary' || (type === 'transient' && end !== 'abnormal')) return 'nothing';
  const alive = (child: GroupChild): boolean => child !== ended && child.status === 'up';
  if (restarts.filter((time) => now - time < periodMs).length + 1 > intensity) {
    return { stop: group.filter(alive).map(idOf).toReversed() };
  }
  const from = group.indexOf(ended);
  const moved = group.filter((child, i) => {
    if (strategy === 'one-for-one') return child === ended;
    return strategy === 'one-for-all' || i >= from;
  });
  return {
    stop: moved.filter(alive).map(idOf).toReversed(),
    start: moved
      .filter(
        (child) =>
          child === ended || (child.restart.type !== 'temporary' && child.status !== 'stopped'),
      )
      .map(idOf),
  };
}

function shape(decision: GroupDecision): unknown {
  switch (decision.do) {
    case 'nothing':
      return 'nothing';
    case 'give-up':
      return { stop: decision.stop };
    case 'restart':
      return { stop: decision.stop, start: decision.start };
  }
}

function decide(
  options: GroupBudget,
  group: readonly GroupChild[],
  id: string,
  end: End = 'abnormal',
  history = NO_RESTARTS,
  now = NOW.now,
): GroupDecision {
  return decideGroup(options, group, history, { id, end, permanent: false }, { ...NOW, now });
}

function inWords(decision: GroupDecision): string {
  if (decision.do !== 'restart') return decision.do;
  return [...decision.stop, '→', ...decision.start].join(' ');
}

function budget(strategy: Strategy): GroupBudget {
  return { strategy, intensity: 3, periodMs: 5_000 };
}

function three(): [GroupChild, GroupChild, GroupChild] {
  return [named('a'), named('b'), named('c')];
}

function named(
  id: string,
  type: RestartOptions['type'] = 'permanent',
  status: ChildStatus = 'up',
): GroupChild {
  const backoff = { ...DEFAULT_RESTART.backoff, minMs: 0, maxMs: 0 };
  return { id, restart: { ...DEFAULT_RESTART, type, backoff }, status };
}

function idOf({ id }: GroupChild): string {
  return id;
}
