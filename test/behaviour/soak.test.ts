/** `npm run soak` in small: that it measures, judges and draws. What it finds takes thousands of restarts. */
import { describe, expect, it } from 'vitest';

import { markdownOf, plotOf, resultOf } from '../soak/report.ts';
import { soak } from '../soak/soak.ts';

const ENVIRONMENT = {
  node: 'v20.20.2',
  platform: 'linux x64',
  cpu: 'a processor',
  cores: 2,
  memoryGb: 24,
  commit: '0123456',
  at: '2026-01-01T00:00:00.000Z',
};

describe('a soak', () => {
  it(
    'restarts as often as it is told, and tells of each quantity',
    { timeout: 60_000 },
    async () => {
      const tiers = ['thread', 'process'] as const;
      const told: number[] = [];
      const run = await soak({
        restarts: 24,
        minutes: 1,
        seed: 1,
        tiers,
        samples: 4,
        progress: (restarts) => told.push(restarts),
      });
      expect(run.samples.map(({ restarts }) => restarts)).toEqual([6, 12, 18, 24]);
      expect(told).toHaveLength(24);
      expect(Object.values(run.endings).reduce((sum, count) => sum + count)).toBe(24);

      const result = resultOf(run, { seed: 1, tiers, environment: ENVIRONMENT });
      for (const [name, trend] of Object.entries(result.trends)) {
        expect({ name, isNumber: Number.isFinite(trend.growth) }).toEqual({ name, isNumber: true });
      }
      // six plugins, nothing open, and the key of a room with a lock
      expect(result.trends.kept.last).toBeLessThanOrEqual(7);
      expect(plotOf(result)).toContain('24 restarts');
      const rows = markdownOf(result).match(/^\| .+ (?:flat|\*\*grows\*\*) \|$/gm);
      expect(rows).toHaveLength(Object.keys(result.trends).length);
    },
  );
});
