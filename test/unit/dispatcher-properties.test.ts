import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { REDELIVER, Scene, type Act } from '../support/call-scene.ts';
import { fc } from '../support/properties.ts';

const WEIGHTS: Record<Act, number> = {
  ask: 8,
  begin: 6,
  answer: 4,
  garble: 1,
  abort: 1,
  wait: 2,
  crash: 2,
  stop: 1,
  connect: 4,
  flow: 4,
  hold: 1,
  drop: 1,
};

const act = fc.oneof(
  ...Object.entries(WEIGHTS).map(([name, weight]) => ({
    weight,
    arbitrary: fc.tuple(fc.constant(name as Act), fc.nat(1_000)),
  })),
);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a dispatcher, through any history', () => {
  it('settles every accepted call exactly once, and its counts add up at every step', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 60, size: 'max' }), async (acts) => {
        const scene = new Scene();
        for (const each of acts) await scene.act(each);
        await scene.finish();

        expect(scene.asked.map(({ receiver }) => receiver.settled)).toEqual(
          scene.asked.map(() => 1),
        );
        const { meter, inFlight, queued } = scene.dispatcher;
        expect([inFlight, queued, scene.malformed, vi.getTimerCount()]).toEqual([0, 0, [], 0]);
        const refused = scene.asked.filter(
          ({ receiver }) => receiver.error?.code === 'MAILBOX_FULL',
        );
        expect(meter.started).toBe(scene.asked.length - refused.length);

        const all = scene.begun.flat();
        for (const [call, { idempotent }] of scene.asked.entries()) {
          const times = all.filter((begun) => begun === call).length;
          expect(times, `begins of call ${String(call)}`).toBeLessThanOrEqual(
            idempotent ? 1 + REDELIVER : 1,
          );
        }
        // first come, first served: also for those that came back from an earlier life
        for (const life of scene.begun) expect(life).toEqual(life.toSorted((a, b) => a - b));
      }),
      { numRuns: 300 },
    );
  });
});
