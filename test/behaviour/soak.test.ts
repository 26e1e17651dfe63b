/** `npm run soak` in small: that it measures, judges and draws. What it is for takes thousands of restarts. */
import { execFile } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { markdownOf, plotOf, type SoakResult } from '../soak/report.ts';

const FLAGS = ['--expose-gc', '--disable-warning=ExperimentalWarning', '--import', 'tsx'];
const RUN = fileURLToPath(new URL('../soak/run.ts', import.meta.url));

interface Ended {
  /** 0: flat; 1: something grows; 2: an option it does not know. */
  exitCode: unknown;
  stdout: string;
  stderr: string;
}

function runSoak(...options: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [...FLAGS, RUN, ...options], (error, stdout, stderr) => {
      resolve({ exitCode: error?.code ?? 0, stdout, stderr });
    });
  });
}

describe('a soak', () => {
  it(
    'restarts as often as it is told, and tells of each quantity',
    { timeout: 180_000 },
    async () => {
      const ended = await runSoak('--restarts', '24', '--seed', '1', '--quick', '--json');
      expect(ended.stderr).toBe('');
      const result = JSON.parse(ended.stdout) as SoakResult;
      expect(result).toMatchObject({ seed: 1, tiers: ['thread', 'process'], restarts: 24 });
      expect(result.samples.map(({ restarts }) => restarts)).toEqual([8, 16, 24]);
      expect(Object.values(result.endings).reduce((sum, count) => sum + count)).toBe(24);
      for (const [name, { growth }] of Object.entries(result.trends)) {
        expect({ name, isNumber: Number.isFinite(growth) }).toEqual({ name, isNumber: true });
      }
      // six plugins, nothing open, and the key of a room with a lock
      expect(result.trends.kept.last).toBeLessThanOrEqual(7);
      // so few restarts only warm up
      expect(ended.exitCode).toBe(result.isFlat ? 0 : 1);

      expect(plotOf(result)).toContain('24 restarts');
      const rows = markdownOf(result).match(/^\| .+ (?:flat|\*\*grows\*\*) \|$/gm);
      expect(rows).toHaveLength(Object.keys(result.trends).length);
    },
  );

  it('says what it does not understand', async () => {
    expect(await runSoak('--restarts', 'many')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/--restarts many is no number above 0\n\nusage:/) as string,
    });
    expect(await runSoak('--tiers', 'fibre')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('there is no tier fibre') as string,
    });
  });
});
