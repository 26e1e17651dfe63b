/**
 * Whatever happens, in any order: every call settles once, the counts add up, nothing is left.
 * FAILURES, all rows. `CHAOS_SEED=7 npm test -- chaos` runs what another seed draws, and
 * `CHAOS_CALLS=20000` more of it; `CHAOS_SEED=any` is new each time, and its title says what it was.
 */
import process from 'node:process';

import { describe, expect, it } from 'vitest';

import type { Tier } from '../support/chaos/cast.ts';
import { chaos } from '../support/chaos/chaos.ts';
import { anySeed } from '../support/chaos/random.ts';

const CALLS = Number(process.env['CHAOS_CALLS'] ?? 800);
const TIMEOUT_MS = 60_000 + 60 * CALLS;

const given = process.env['CHAOS_SEED'];
const seed = (fixed: number): number => {
  if (given === undefined) return fixed;
  return given === 'any' ? anySeed() : Number(given);
};

describe.each<{ tiers: Tier[]; seed: number }>([
  { tiers: ['thread'], seed: seed(1) },
  { tiers: ['process'], seed: seed(2) },
  { tiers: ['thread', 'process'], seed: seed(3) },
  { tiers: ['thread', 'process'], seed: seed(4) },
])('chaos among plugins in a $tiers, seed $seed', ({ tiers, seed }) => {
  it(
    'settles every call once, keeps the counts right and leaves nothing behind',
    {
      timeout: TIMEOUT_MS,
    },
    async () => {
      const { problems, ...report } = await chaos({ seed, tiers, plugins: 6, calls: CALLS });
      const again = `CHAOS_SEED=${String(seed)} CHAOS_CALLS=${String(CALLS)} npm test -- chaos`;
      expect(problems.join('\n'), `run it again: ${again}`).toBe('');
      // it was no quiet day
      expect(report.calls).toBe(CALLS);
      expect(report.crashes).toBeGreaterThan(CALLS / 100);
      expect(report.restarts).toBeGreaterThan(CALLS / 100);
      expect(report.endings).toMatchObject({
        ok: expect.any(Number) as number,
        CALL_FAILED: expect.any(Number) as number,
        CALL_TIMEOUT: expect.any(Number) as number,
        CALL_ABORTED: expect.any(Number) as number,
        PLUGIN_CRASHED: expect.any(Number) as number,
      });
    },
  );
});
