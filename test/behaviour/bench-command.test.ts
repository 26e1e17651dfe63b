/** `troupe bench` as users run it, with few calls: what it tells, and how it ends. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { describe, expect, test } from 'vitest';

import { cli, startCli, type CliEnd } from '../support/cli.ts';
import { temporaryFolder } from '../support/files.ts';

const PLUGINS = {
  'echo.mjs': 'export default (value) => value;',
  'typed.ts': 'export default (value: number): number => value + 1;',
  'failing.mjs': 'export default () => { throw new TypeError("no good"); };',
  'picky.mjs': 'export default (n) => { if (n === 2) throw new RangeError("not 2"); return n; };',
  'mortal.mjs': 'export default (n) => { if (n === "die") process.exit(3); return n; };',
  'doomed.mjs': 'export default () => process.exit(3);',
  'hanging.mjs': 'export default () => new Promise(() => {});',
  'chunks.mjs': 'export default function* () { for (let i = 0; i < 10; i++) yield i; }',
  'endless.mjs': 'export default function* () { for (let i = 0; ; i++) yield i; }',
  'needy.mjs':
    'export default { init() { throw new Error("no key"); }, execute: (value) => value };',
  'no-plugin.mjs': 'export default 42;',
  'broken.mjs': 'this is no code',
  'logging.mjs': 'export default (n) => { console.log("got", n); return n; };',
  'plain.json': '[1, 2, 3, 4]',
  'lines.ndjson': '1\n"die"\n3\n4\n5\n6\n7\n8\n9\n10\n',
  'damaged.ndjson': '1\n{"a":\n',
  'package/plugin.json': JSON.stringify({
    $schema: 'https://example.org/plugin.json',
    id: 'adder',
    name: 'Adder',
    type: 'tool',
    version: '2.1.0',
    entry: './adder.mjs',
    config: { by: 1, unused: true },
    concurrency: 2,
  }),
  'package/adder.mjs': 'export default (n, call) => n;',
  'wrong/plugin.json': '{"id": "wrong", "type": "tool", "entry": "../echo.mjs"}',
};
const FEW = ['--calls', '20', '--rounds', '2', '--warmup', '0', '--in-flight', '1,4'];

interface ShownCell {
  threads: number;
  inFlight: number;
  summary: { succeeded: number; failed: number; failures: Record<string, number>; crashes: number };
  rounds: { callsPerSec: number; chunksPerSec?: number; latencyMs?: Record<string, number> }[];
}

interface Shown {
  isPartial: boolean;
  plugin: Record<string, unknown>;
  options: Record<string, unknown>;
  inputs: Record<string, unknown>;
  cells: ShownCell[];
}

function folder(): Promise<string> {
  return temporaryFolder(PLUGINS);
}

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
    const end = await cli(await folder(), 'bench', 'echo.mjs', '--inputs', 'plain.json', ...FEW);
    expect({ exitCode: end.exitCode, stderr: end.stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(end.stdout).toMatch(/^echo 1\.0\.0$/m);
    expect(end.stdout).toContain('2 rounds of 20 calls after 0 ms · inputs: plain.json (4 inputs)');
    expect(end.stdout).toMatch(/^ {2}threads {2}in flight +calls\/s +spread +failed/m);
    expect(end.stdout).toMatch(/^ +4 █/m);
    expect(end.stdout).toMatch(/^ +4 +[●◉]/m);
    expect(end.stdout).not.toContain('\u001B');
  });

  test('says that calls are made with null where no inputs are given', async () => {
    const { exitCode, stderr } = await cli(await folder(), 'bench', 'typed.ts', ...FEW);
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
      const end = await cli(await folder(), 'bench', 'echo.mjs', ...args);
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
      const end = await cli(await folder(), 'bench', location, ...args);
      const { plugin, options } = JSON.parse(end.stdout) as Shown;
      expect({ exitCode: end.exitCode, plugin, options }).toMatchObject({
        exitCode: 0,
        plugin: { id: 'adder', name: 'Adder', version: '2.1.0' },
        options: { isolation: 'thread', concurrency: 2, calls: 20, rounds: 2 },
      });
    }
  });

  test('reads streams, of which one without an end is broken off', async () => {
    const here = await folder();
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
    const here = await folder();
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
    const here = await folder();
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
    const here = await folder();
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
    const here = await folder();
    await cli(here, 'bench', 'echo.mjs', '--input', '1', '--save', 'before.json', ...FEW);
    const args = ['--input', '1', '--compare', 'before.json', ...FEW];
    const { exitCode, stdout } = await cli(here, 'bench', 'typed.ts', ...args);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('the earlier result is of another plugin: echo, now typed');
  });
});

describe('a plugin that misbehaves', () => {
  test('counts its failed calls by code, with an example', async () => {
    const args = ['--inputs', 'plain.json', '--calls', '20', '--rounds', '1', '--warmup', '0'];
    const end = await cli(await folder(), 'bench', 'picky.mjs', '--in-flight', '1', ...args);
    expect(end.exitCode).toBe(0);
    expect(end.stdout).toMatch(/5 calls failed with CALL_FAILED: .*not 2/);
  });

  test('is told where it fails all calls, and not measured further', async () => {
    const end = await cli(await folder(), 'bench', 'failing.mjs', '--input', '1', ...FEW);
    expect(end).toMatchObject({
      exitCode: 1,
      stderr: 'troupe: no call was answered; --logs shows what the plugin logs\n',
    });
    expect(end.stdout).toMatch(/20 calls failed with CALL_FAILED: .*no good/);
    expect(end.stdout).toContain('Not complete');
  });

  test('is counted where it crashes in the middle and comes back', async () => {
    const args = ['--inputs', 'lines.ndjson', '--calls', '20', '--rounds', '1', '--warmup', '0'];
    const end = await cli(await folder(), 'bench', 'mortal.mjs', '--in-flight', '1', ...args);
    expect(end.exitCode).toBe(0);
    expect(end.stdout).toMatch(/2 calls failed with PLUGIN_CRASHED: .*code 3/);
    expect(end.stdout).toContain('The plugin crashed 2 times.');
  });

  test('that gives up ends the bench', async () => {
    const end = await cli(await folder(), 'bench', 'doomed.mjs', '--input', '1', ...FEW);
    expect(end.exitCode).toBe(1);
    expect(end.stderr).toMatch(/^troupe: doomed gave up after \d crashes: exit: .*--logs shows/);
  });

  test('that hangs runs into the timeout', async () => {
    const args = ['--input', '1', '--timeout', '50ms', '--in-flight', '1', '--calls', '1'];
    const end = await cli(await folder(), 'bench', 'hanging.mjs', ...args, '--warmup', '0');
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
    const end = await cli(await folder(), 'bench', name, '--input', '1', ...FEW);
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
      /"concurrency": a thread of a pool is inside one/,
    ],
  ])('is not even started with %j', async (args, message) => {
    const end = await cli(await folder(), 'bench', 'echo.mjs', ...args);
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
    const silent = await cli(await folder(), 'bench', 'logging.mjs', ...args);
    const loud = await cli(await folder(), 'bench', 'logging.mjs', '--logs', ...args);
    expect([silent.stderr, loud.stderr]).toEqual(['', expect.stringContaining('[logging] got 7')]);
  });
});

describe('Ctrl-C', () => {
  test('ends it, and shows and saves what was measured so far', async () => {
    const here = await temporaryFolder({ ...PLUGINS, 'inputs.mjs': inputs(50) });
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
    const here = await temporaryFolder({ ...PLUGINS, 'inputs.mjs': inputs(1) });
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
