/** The command line itself: help, version, and what it does not know. */
import { readFile } from 'node:fs/promises';

import { describe, expect, test } from 'vitest';

import { cli } from '../support/cli.ts';

const HERE = '.';

describe('troupe', () => {
  test('shows its commands', async () => {
    const { exitCode, stdout, stderr } = await cli(HERE, '--help');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/^ {2}bench +Measures throughput and latency of a plugin\.$/m);
  });

  test('shows its version', async () => {
    const manifest = JSON.parse(
      await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
    ) as { version: string };
    expect(await cli(HERE, '--version')).toEqual({
      exitCode: 0,
      stdout: `${manifest.version}\n`,
      stderr: '',
    });
  });

  test('without a command shows help as an error', async () => {
    const { exitCode, stdout, stderr } = await cli(HERE);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain('Usage: troupe <command> [options]');
  });

  test('shows the options of a command, within 80 columns and without colours in a pipe', async () => {
    const { exitCode, stdout } = await cli(HERE, 'bench', '--help');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Usage: troupe bench <plugin> [options]');
    expect(stdout).toMatch(/^ {2}--in-flight N,… /m);
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(stdout).not.toContain('\u001B');
  });

  test.each([
    [['bnech'], 'troupe: unknown command bnech; did you mean bench?\n'],
    [['toString'], 'troupe: unknown command toString; see troupe --help\n'],
    [['--versoin'], 'troupe: unknown option --versoin; did you mean --version?\n'],
    [
      ['bench', 'a.mjs', '--in-flihgt', '1'],
      'troupe: unknown option --in-flihgt; did you mean --in-flight?\nSee troupe bench --help.\n',
    ],
  ])('refuses what it does not know: %j', async (args, stderr) => {
    expect(await cli(HERE, ...args)).toEqual({ exitCode: 2, stdout: '', stderr });
  });
});
