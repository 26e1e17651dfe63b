/** `troupe bench` as users run it, with few calls: what it tells. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { describe, expect, test } from 'vitest';

import { benchFolder, FEW, type Shown } from '../support/bench-command.ts';
import { cli, type CliEnd } from '../support/cli.ts';

/** The cells of a result in JSON: how many calls succeeded in each, and how many failed. */
function cellsOf({ stdout }: CliEnd): Record<string, unknown>[] {
  const { cells } = JSON.parse(stdout) as Shown;
  return cells.map(({ threads, inFlight, rounds, summary: { succeeded, failed } }) => ({
    threads,
    inFlight,
    rounds: rounds.length,
    succeeded,
    failed,
  }));
}

describe('troupe bench', () => {
  test('measures a plugin, and shows tables and plots of it', async () => {
    const end = await cli(
      await benchFolder(),
      'bench',
      'echo.mjs',
      '--inputs',
      'plain.json',
      ...FEW,
    );
    expect({ exitCode: end.exitCode, stderr: end.stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(end.stdout).toMatch(/^echo 1\.0\.0$/m);
    expect(end.stdout).toContain('2 rounds of 20 calls after 0 ms · inputs: plain.json (4 inputs)');
    expect(end.stdout).toMatch(/^ {2}threads {2}in flight +calls\/s +spread +failed/m);
    expect(end.stdout).toMatch(/^ +4 █/m);
    expect(end.stdout).toMatch(/^ +4 +[●◉]/m);
    expect(end.stdout).not.toContain('\u001B');
  });

  test('says that calls are made with null where no inputs are given', async () => {
    const { exitCode, stderr } = await cli(await benchFolder(), 'bench', 'typed.ts', ...FEW);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr:
        'note: no inputs were given: every call is made with null. Give --inputs FILE, or --input JSON\n',
    });
  });

  test.each(['thread', 'process', 'pool'])(
    'sweeps threads and calls in flight: %s',
    async (kind) => {
      const args = ['--input', '1', '--json', '--isolation', kind, '--threads', '1,2', ...FEW];
      const end = await cli(await benchFolder(), 'bench', 'echo.mjs', ...args);
      expect(end.exitCode).toBe(0);
      expect(end.stderr).toContain('not measured: 1 in flight on 2 threads');
      const all = { rounds: 2, succeeded: 40, failed: 0 };
      expect(cellsOf(end)).toEqual([
        { threads: 1, inFlight: 1, ...all },
        { threads: 1, inFlight: 4, ...all },
        { threads: 2, inFlight: 4, ...all },
      ]);
    },
  );

  test('takes a folder with a plugin.json, or that file', async () => {
    const args = ['--input', '1', '--json', '--config', '{"by": 2}', ...FEW];
    for (const location of ['package', 'package/plugin.json']) {
      const end = await cli(await benchFolder(), 'bench', location, ...args);
      const { plugin, options } = JSON.parse(end.stdout) as Shown;
      expect({ exitCode: end.exitCode, plugin, options }).toMatchObject({
        exitCode: 0,
        plugin: { id: 'adder', name: 'Adder', version: '2.1.0' },
        options: { isolation: 'thread', concurrency: 2, calls: 20, rounds: 2 },
      });
    }
  });

  test('reads streams, of which one without an end is broken off', async () => {
    const here = await benchFolder();
    const chunks = await cli(here, 'bench', 'chunks.mjs', '--stream', '--json', ...FEW);
    expect(cellsOf(chunks)).toMatchObject([{ succeeded: 40 }, { succeeded: 40 }]);
    const { cells } = JSON.parse(chunks.stdout) as Shown;
    expect(
      cells.every(({ rounds }) => rounds.every(({ chunksPerSec = 0 }) => chunksPerSec > 0)),
    ).toBe(true);
    const args = ['--stream', '--duration', '50ms', '--rounds', '1', '--in-flight', '2'];
    const endless = await cli(here, 'bench', 'endless.mjs', ...args);
    expect(endless.exitCode).toBe(0);
    expect(endless.stdout).toMatch(/chunks\/s/);
  });

  test('saves a result, draws it, and compares the next one with it', async () => {
    const here = await benchFolder();
    const first = [...FEW, '--input', '1', '--save', 'before.json', '--plot', 'plot.svg'];
    expect(await cli(here, 'bench', 'echo.mjs', ...first)).toMatchObject({ exitCode: 0 });
    expect(await readFile(path.join(here, 'plot.svg'), 'utf8')).toMatch(/^<svg [^]*<\/svg>\n$/);
    const next = [...FEW, '--input', '1', '--compare', 'before.json'];
    const end = await cli(here, 'bench', 'echo.mjs', ...next);
    expect(end.exitCode).toBe(0);
    expect(end.stdout).toMatch(/^Compared with the result of 2\d{3}-/m);
    expect(end.stdout).toMatch(/in spread|slower|faster/);
  });

  test('fails where it regressed', async () => {
    const here = await benchFolder();
    const file = path.join(here, 'before.json');
    await cli(here, 'bench', 'echo.mjs', '--input', '1', '--save', file, ...FEW);
    const before = JSON.parse(await readFile(file, 'utf8')) as Shown;
    for (const { rounds } of before.cells) for (const round of rounds) round.callsPerSec *= 1e6;
    await writeFile(file, JSON.stringify(before));
    const args = ['--input', '1', '--compare', file, '--fail-on-regression', '50', ...FEW];
    const { exitCode, stdout } = await cli(here, 'bench', 'echo.mjs', ...args);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('2 cells more than 50 % slower, beyond the spread.');
  });

  test('refuses to compare with other inputs, before anything is measured', async () => {
    const here = await benchFolder();
    await cli(here, 'bench', 'echo.mjs', '--input', '1', '--save', 'before.json', ...FEW);
    const args = ['--input', '2', '--compare', 'before.json', ...FEW];
    expect(await cli(here, 'bench', 'echo.mjs', ...args)).toEqual({
      exitCode: 2,
      stdout: '',
      stderr:
        'troupe: the earlier result had other inputs (--input has changed since): measure both with the same ones\n',
    });
  });

  test('compares two plugins, and says that they are two', async () => {
    const here = await benchFolder();
    await cli(here, 'bench', 'echo.mjs', '--input', '1', '--save', 'before.json', ...FEW);
    const args = ['--input', '1', '--compare', 'before.json', ...FEW];
    const { exitCode, stdout } = await cli(here, 'bench', 'typed.ts', ...args);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('the earlier result is of another plugin: echo, now typed');
  });
});
