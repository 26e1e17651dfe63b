/** `npm run soak`: restarts plugins by the thousand, and exits with 1 where something grows. */
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';

import { environment } from '../../bench/support/environment.ts';
import type { Tier } from '../support/chaos/cast.ts';
import { anySeed } from '../support/chaos/random.ts';
import { markdownOf, plotOf, resultOf, verdictOf, type SoakResult } from './report.ts';
import { soak, type SoakOptions } from './soak.ts';

const USAGE = `usage: npm run soak -- [options]

  --restarts N   default 10,000
  --minutes N    ends after that time, if it comes first
  --seed N       what chance draws; default: another one each time
  --tiers LIST   thread, process or both; default thread,process
  --quick        500 restarts, and the results are not kept
  --json         print the result as JSON, and nothing else

Kept: bench/results/soak.json, docs/soak.md, docs/soak.svg. Exits with 1 where something grows.`;

const TIERS: readonly Tier[] = ['thread', 'process'];
const RESTARTS = { whole: 10_000, quick: 500 };
/** Restarts between two samples, and how many samples at most. */
const SAMPLE_RESTARTS_MIN = 10;
const SAMPLES_MAX = 100;
const SHOW_EVERY_MS = 200;

const { keep, json, ...options } = optionsGiven();
const run = await soak({ ...options, progress: showProgress(options.restarts) });
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
const { seed, tiers } = options;
const result = resultOf(run, { seed, tiers, environment: environment() });
if (keep) keepResult(result);
console.log(json ? JSON.stringify(result) : verdictOf(result));
if (!result.isFlat) process.exitCode = 1;

function optionsGiven(): Omit<SoakOptions, 'progress'> & { keep: boolean; json: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        restarts: { type: 'string' },
        minutes: { type: 'string' },
        seed: { type: 'string' },
        tiers: { type: 'string', default: TIERS.join(',') },
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    const restarts = number(
      'restarts',
      values.restarts,
      values.quick ? RESTARTS.quick : RESTARTS.whole,
    );
    return {
      restarts,
      minutes: number('minutes', values.minutes, Infinity),
      seed: number('seed', values.seed, anySeed()),
      tiers: tiersNamed(values.tiers),
      samples: Math.min(SAMPLES_MAX, Math.ceil(restarts / SAMPLE_RESTARTS_MIN)),
      keep: !values.quick,
      json: values.json,
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}

function number(name: string, given: string | undefined, otherwise: number): number {
  if (given === undefined) return otherwise;
  const value = Number(given.replace(/[,_]/g, ''));
  if (!(value > 0)) throw new Error(`--${name} ${given} is no number above 0`);
  return value;
}

function tiersNamed(list: string): Tier[] {
  return list.split(',').map((name) => {
    const tier = TIERS.find((each) => each === name.trim());
    if (!tier) throw new Error(`there is no tier ${name}`);
    return tier;
  });
}

/** On a terminal only: how far, how fast, how long still. */
function showProgress(total: number): (restarts: number) => void {
  if (!process.stderr.isTTY) return () => undefined;
  const startedAt = performance.now();
  let shownAt = 0;
  return (restarts) => {
    const now = performance.now();
    if (now - shownAt < SHOW_EVERY_MS) return;
    shownAt = now;
    const perSecond = restarts / ((now - startedAt) / 1_000);
    const left = Math.round((total - restarts) / perSecond);
    const clock = `${String(Math.floor(left / 60))}:${String(left % 60).padStart(2, '0')}`;
    process.stderr.write(
      `\r\x1b[K${restarts.toLocaleString('en')} of ${total.toLocaleString('en')} restarts, ${perSecond.toFixed(0)} a second, ${clock} left`,
    );
  };
}

function keepResult(result: SoakResult): void {
  keepFile('bench/results/soak.json', `${JSON.stringify(result, null, 2)}\n`);
  keepFile('docs/soak.md', markdownOf(result));
  keepFile('docs/soak.svg', plotOf(result));
}

function keepFile(path: string, content: string): void {
  writeFileSync(new URL(`../../${path}`, import.meta.url), content);
}
