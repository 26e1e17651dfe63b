import type { ArgsDef } from 'citty';
import { describe, expect, it } from 'vitest';

import { optionsOf } from '../../src/cli/bench/options.ts';
import { checkArguments } from '../../src/cli/check-arguments.ts';
import { CliError } from '../../src/cli/cli-error.ts';
import { renderHelp, wrap } from '../../src/cli/help.ts';
import { nearest } from '../../src/cli/nearest.ts';
import { plain } from '../../src/cli/terminal.ts';

const DEFINITIONS: ArgsDef = {
  plugin: { type: 'positional', description: 'a file' },
  inputs: { type: 'string', valueHint: 'FILE', description: 'what it is called with' },
  json: { type: 'boolean', description: 'prints JSON' },
};

function complaint(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof CliError && error.exitCode === 2) return error.message;
    throw error;
  }
  return 'nothing';
}

describe('a command line', () => {
  it.each([
    [['a.mjs', '--inputs', 'b', '--json']],
    [['--inputs=--odd', 'a.mjs']],
    [['a.mjs', '--inputs', '-']],
    [['--', '--a.mjs']],
  ])('is taken where all is known: %j', (words) => {
    expect(complaint(() => checkArguments(words, DEFINITIONS))).toBe('nothing');
  });

  it.each([
    [['a', '--inptus', 'b'], 'unknown option --inptus; did you mean --inputs?'],
    [['a', '--no-json'], 'unknown option --no-json'],
    [['a', '-x'], 'unknown option -x'],
    [['a', '--inputs'], '--inputs needs a value'],
    [['a', '--inputs='], '--inputs needs a value'],
    [['a', '--inputs', '--json'], '--inputs needs a value'],
    [['a', '--json=1'], '--json takes no value'],
    [['a', 'b'], 'one argument too many: b'],
    [[], '<plugin> is missing: a file'],
  ])('is refused with what is wrong: %j', (words, message) => {
    expect(complaint(() => checkArguments(words, DEFINITIONS))).toBe(message);
  });
});

describe('the options of a bench', () => {
  it('have defaults', () => {
    expect(optionsOf({})).toEqual({
      inputsFile: undefined,
      inputJson: undefined,
      inFlight: [1, 16, 256],
      threads: [1],
      durationMs: 1_000,
      calls: undefined,
      warmupMs: 300,
      rounds: 5,
      timeoutMs: 30_000,
      isStream: false,
      isolation: undefined,
      concurrency: undefined,
      config: undefined,
      companions: [],
      showsLogs: false,
      isJson: false,
      saveFile: undefined,
      plotFile: undefined,
      compareFile: undefined,
      failOnRegressionPercent: undefined,
    });
  });

  it('are read with their units, lists ascending and each number once', () => {
    const { durationMs, warmupMs, timeoutMs, inFlight, companions } = optionsOf({
      'duration': '1.5s',
      'warmup': '0',
      'timeout': '2m',
      'in-flight': '16,1,16',
      'with': 'a,b',
    });
    expect({ durationMs, warmupMs, timeoutMs, inFlight, companions }).toEqual({
      durationMs: 1_500,
      warmupMs: 0,
      timeoutMs: 120_000,
      inFlight: [1, 16],
      companions: ['a', 'b'],
    });
  });

  it('let calls alone end a measurement, unless a time is given, too', () => {
    expect(optionsOf({ calls: '7' })).toMatchObject({ calls: 7, durationMs: undefined });
    expect(optionsOf({ calls: '7', duration: '2s' })).toMatchObject({
      calls: 7,
      durationMs: 2_000,
    });
  });

  it('give a stream longer than its measurement takes', () => {
    expect(optionsOf({ stream: true, duration: '1m' }).timeoutMs).toBe(90_300);
  });

  it.each([
    [{ 'in-flight': '0' }, '--in-flight 0: a whole number from 1 to 10,000 is needed'],
    [{ 'in-flight': '1,' }, '--in-flight : a whole number from 1 to 10,000 is needed'],
    [{ threads: '1.5' }, '--threads 1.5: a whole number from 1 to 1,024 is needed'],
    [{ rounds: '-1' }, '--rounds -1: a whole number from 1 to 1,000 is needed'],
    [{ calls: 'x' }, '--calls x: a whole number from 1 is needed'],
    [{ duration: '5' }, '--duration 5: a time is needed, with its unit, as 500ms, 5s or 1m'],
    [{ duration: '0' }, '--duration 0: a time is needed, with its unit, as 500ms, 5s or 1m'],
    [{ timeout: '5h' }, '--timeout 5h: a time is needed, with its unit, as 500ms, 5s or 1m'],
    [{ isolation: 'vm' }, '--isolation vm: it is one of thread, process, pool'],
    [{ inputs: 'a', input: '1' }, '--inputs and --input exclude each other: give one of them'],
    [
      { 'fail-on-regression': '10' },
      '--fail-on-regression needs --compare FILE, the result to compare with',
    ],
    [
      { 'fail-on-regression': '10', 'compare': 'a', 'rounds': '1' },
      '--fail-on-regression needs --rounds 2 or more: one round has no spread',
    ],
    [
      { 'fail-on-regression': 'much', 'compare': 'a' },
      '--fail-on-regression much: a percentage from 0 to below 100 is needed, as 10',
    ],
  ])('are refused with the remedy: %j', (args, message) => {
    expect(complaint(() => optionsOf(args))).toBe(message);
  });
});

describe('help', () => {
  it('is wrapped to the terminal, in two columns', () => {
    const page = {
      name: 'troupe bench',
      description: 'Measures a plugin.',
      usage: '<plugin> [options]',
      args: DEFINITIONS,
    };
    expect(renderHelp(page, 34, plain)).toBe(
      `Measures a plugin.

Usage: troupe bench <plugin> [options]

  <plugin>       a file

Options:
  --inputs FILE  what it is called
                 with
  --json         prints JSON
  --help         shows this`,
    );
  });

  it('breaks lines between words, and keeps an indent', () => {
    expect(wrap('  one two three', 9)).toEqual(['  one two', '  three']);
    expect(wrap('unbreakable', 4)).toEqual(['unbreakable']);
  });
});

describe('a misspelt word', () => {
  it.each([
    ['bnech', 'bench'],
    ['inflight', 'in-flight'],
    ['conc', 'concurrency'],
    ['x', undefined],
    ['elephant', undefined],
  ])('has a neighbour, or none: %s', (word, expected) => {
    expect(nearest(word, ['bench', 'in-flight', 'concurrency'])).toBe(expected);
  });
});
