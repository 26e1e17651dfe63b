import { describe, expect, it } from 'vitest';

import { DEFAULT_RESTART } from '../../src/protocol/limits.ts';
import { INITIAL, transition, VERBS } from '../../src/supervisor/machine.ts';
import { INTENTS, World } from '../support/lifecycle-world.ts';
import { ENV, EVENTS, phaseInWords, type EventName } from '../support/lifecycle.ts';
import { fc } from '../support/properties.ts';

/** A verb; that things go well; a group's order; or the number of one of the events that are possible then. */
const step = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...VERBS) },
  { weight: 5, arbitrary: fc.constant('well' as const) },
  { weight: 1, arbitrary: fc.nat() },
  { weight: 1, arbitrary: fc.constantFrom('halt' as const, 'revive' as const, 'give-up' as const) },
);
const walk = fc.array(step, { maxLength: 60, size: 'max' });

describe('the lifecycle machine, through any history', () => {
  it('stays consistent, and settles every verb exactly once', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.boolean(), fc.boolean(), walk, (managed, isUp, steps) => {
        const world = new World(managed);
        for (const next of isUp ? [...UP, ...steps] : steps) {
          if (next === 'well') world.goWell();
          else if (isOrder(next)) {
            if (managed) world.happen(next);
          } else if (typeof next === 'string') world.perform(next);
          else {
            const possible = [...world.possible()];
            const name = possible[next % possible.length];
            if (name) world.happen(name);
          }
          seen.add(phaseInWords(world.machine.phase).replace(/\(.*/, ''));
        }
        settle(world);
        expect([world.verb, phaseInWords(world.machine.phase)]).toEqual([
          undefined,
          expect.any(String),
        ]);
      }),
      { numRuns: 2_000 },
    );
    // the walks go everywhere
    expect([...seen].toSorted()).toEqual(EVERYWHERE);
  });

  it('never throws, in whatever order events come', () => {
    const names = Object.keys(EVENTS) as EventName[];
    const restart = fc.record({
      type: fc.constantFrom('permanent' as const, 'transient' as const, 'temporary' as const),
      intensity: fc.nat(4),
    });
    const managed = fc.boolean();
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...names)),
        restart,
        managed,
        (events, options, isManaged) => {
          let machine = INITIAL;
          for (const name of events) {
            const env = { ...ENV, managed: isManaged, restart: { ...DEFAULT_RESTART, ...options } };
            machine = transition(machine, EVENTS[name], env).machine;
            expect(INTENTS[machine.phase.at]).toContain(machine.intent);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

const EVERYWHERE = [
  'failed',
  'initialized',
  'initializing',
  'loaded',
  'loading',
  'paused',
  'pausing',
  'restarting/halting',
  'restarting/initializing',
  'restarting/loading',
  'restarting/pausing',
  'restarting/resuming',
  'restarting/starting',
  'restarting/stopping',
  'restarting/waiting',
  'resuming',
  'running',
  'starting',
  'stopping',
  'unloaded',
  'unloading',
  'unloading!',
];

const UP = ['load', 'well', 'init', 'well', 'start', 'well'] as const;

/** From here on everything goes well: a verb that is open gets its outcome, if it ever does. */
function settle(world: World): void {
  for (let turn = 0; world.verb && turn < 20; turn++) world.goWell();
}

function isOrder(step: string | number): step is 'halt' | 'revive' | 'give-up' {
  return step === 'halt' || step === 'revive' || step === 'give-up';
}
