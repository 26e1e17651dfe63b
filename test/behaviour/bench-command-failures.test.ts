/** How `troupe bench` ends where a plugin, its options or Ctrl-C do not let it finish. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { describe, expect, test } from 'vitest';

import { benchFolder, FEW, PLUGINS, type Shown } from '../support/bench-command.ts';
import { cli, startCli } from '../support/cli.ts';
import { temporaryFolder } from '../support/files.ts';

describe('a plugin that misbehaves', () => {
  test('counts its failed calls by code, with an example', async () => {
    const args = ['--inputs', 'plain.json', '--calls', '20', '--rounds', '1', '--warmup', '0'];
    const end = await cli(await benchFolder(), 'bench', 'picky.mjs', '--in-flight', '1', ...args);
    expect(end.exitCode).toBe(0);
    expect(end.stdout).toMatch(/5 calls failed with CALL_FAILED: .*not 2/);
  });

  test('is told where it fails all calls, and not measured further', async () => {
    const end = await cli(await benchFolder(), 'bench', 'failing.mjs', '--input', '1', ...FEW);
    expect(end).toMatchObject({
      exitCode: 1,
      stderr: 'troupe: no call was answered; --logs shows what the plugin logs\n',
    });
    expect(end.stdout).toMatch(/20 calls failed with CALL_FAILED: .*no good/);
    expect(end.stdout).toContain('Not complete');
  });

  test('is counted where it crashes in the middle and comes back', async () => {
    const args = ['--inputs', 'lines.ndjson', '--calls', '20', '--rounds', '1', '--warmup', '0'];
    const end = await cli(await benchFolder(), 'bench', 'mortal.mjs', '--in-flight', '1', ...args);
    expect(end.exitCode).toBe(0);
    expect(end.stdout).toMatch(/2 calls failed with PLUGIN_CRASHED: .*code 3/);
    expect(end.stdout).toContain('The plugin crashed 2 times.');
  });

  test('that gives up ends the bench', async () => {
    const end = await cli(await benchFolder(), 'bench', 'doomed.mjs', '--input', '1', ...FEW);
    expect(end.exitCode).toBe(1);
    expect(end.stderr).toMatch(/^troupe: doomed gave up after \d crashes: exit: .*--logs shows/);
  });

  test('that hangs runs into the timeout', async () => {
    const args = ['--input', '1', '--timeout', '50ms', '--in-flight', '1', '--calls', '1'];
    const end = await cli(await benchFolder(), 'bench', 'hanging.mjs', ...args, '--warmup', '0');
    expect(end.exitCode).toBe(1);
    expect(end.stdout).toMatch(/1 call failed with CALL_TIMEOUT: .*after 50 ms/);
  });

  test.each([
    ['needy.mjs', 1, /^troupe: needy failed in init: no key$/],
    ['no-plugin.mjs', 1, /^troupe: no-plugin could not be loaded: the default export is no plugin/],
    ['broken.mjs', 1, /^troupe: broken could not be loaded: /],
    ['nowhere.mjs', 2, /^troupe: no such file or folder: nowhere\.mjs$/],
    ['plain.json', 2, /^troupe: plain\.json is no plugin: give a \.js, /],
    ['.', 2, /^troupe: \. has no plugin\.json: give a plugin's file, or a folder with one$/],
    [
      'wrong',
      2,
      /^troupe: wrong\/plugin\.json: .*"entry": .* is not a path inside the plugin's folder$/,
    ],
  ])('is refused in one line: %s', async (name, exitCode, message) => {
    const end = await cli(await benchFolder(), 'bench', name, '--input', '1', ...FEW);
    expect({ exitCode: end.exitCode, stdout: end.stdout }).toEqual({ exitCode, stdout: '' });
    expect(end.stderr.trimEnd()).toMatch(message);
    expect(end.stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  test.each([
    [['--inputs', 'damaged.ndjson'], /^troupe: damaged\.ndjson:2: not JSON/],
    [['--inputs', 'nowhere.json'], /^troupe: no such file: nowhere\.json \(--inputs\)/],
    [['--in-flight', '0'], /^troupe: --in-flight 0: a whole number from 1 to 10,000 is needed/],
    [['--in-flight', '1', '--threads', '2'], /^troupe: every --in-flight is below --threads/],
    [['--config', '[1]'], /^troupe: --config \[1\]: neither a JSON object nor a file/],
    [['--compare', 'plain.json'], /^troupe: plain\.json is no result of troupe bench/],
    [['--save', 'no/where.json'], /^troupe: --save no\/where\.json: its folder is not there/],
    [['--plot', 'plot.png'], /^troupe: --plot plot\.png: it draws an SVG/],
    [
      ['--isolation', 'pool', '--concurrency', '2'],
      /^troupe: a thread of a pool is inside one call at a time: .* --threads/,
    ],
  ])('is not even started with %j', async (args, message) => {
    const end = await cli(await benchFolder(), 'bench', 'echo.mjs', ...args);
    expect({ exitCode: end.exitCode, stdout: end.stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(end.stderr).toMatch(message);
    expect(end.stderr).not.toMatch(/^ +at /m);
  });

  test('shows what it logs where that is asked for', async () => {
    const args = [
      '--input',
      '7',
      '--calls',
      '1',
      '--rounds',
      '1',
      '--warmup',
      '0',
      '--in-flight',
      '1',
    ];
    const silent = await cli(await benchFolder(), 'bench', 'logging.mjs', ...args);
    const loud = await cli(await benchFolder(), 'bench', 'logging.mjs', '--logs', ...args);
    expect([silent.stderr, loud.stderr]).toEqual(['', expect.stringContaining('[logging] got 7')]);
  });
});

describe('Ctrl-C', () => {
  test('ends it, and shows and saves what was measured so far', async () => {
    const here = await benchFolder({ 'inputs.mjs': inputs(50) });
    const args = [
      '--inputs',
      'inputs.mjs',
      '--duration',
      '60m',
      '--warmup',
      '0',
      '--in-flight',
      '1',
    ];
    const bench = startCli(here, 'bench', 'echo.mjs', ...args, '--save', 'result.json');
    await bench.says('under way');
    bench.interrupt();
    const { exitCode, stdout } = await bench.ended;
    expect(exitCode).toBe(130);
    expect(stdout).toContain('Not complete: it ended before all rounds were measured.');
    const saved = JSON.parse(await readFile(path.join(here, 'result.json'), 'utf8')) as Shown;
    expect(saved.isPartial).toBe(true);
    expect(saved.cells[0]?.summary.succeeded).toBeGreaterThan(0);
    expect(saved.cells[0]?.summary.failures).toEqual({});
  });

  test('ends it also where nothing was measured', async () => {
    const here = await benchFolder({ 'inputs.mjs': inputs(1) });
    const args = ['--inputs', 'inputs.mjs', '--in-flight', '4', '--timeout', '0'];
    const quick = await temporaryFolder({
      'plugin.json':
        '{"id": "stuck", "type": "tool", "entry": "stuck.mjs", "limits": {"stopTimeoutMs": 50}}',
      'stuck.mjs': PLUGINS['hanging.mjs'],
    });
    const bench = startCli(here, 'bench', quick, ...args);
    await bench.says('under way');
    bench.interrupt();
    const { exitCode, stdout, stderr } = await bench.ended;
    expect({ exitCode, stdout }).toEqual({ exitCode: 130, stdout: '' });
    expect(stderr).toContain('Nothing was measured yet.');
  });
});

/** A module that says when it is asked for that input. */
function inputs(callNumber: number): string {
  return `export default (i) => { if (i === ${String(callNumber)}) console.error('under way'); return i; };`;
}
