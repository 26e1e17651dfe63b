/** What a monitor is configured with, checked: in the factory, and again where it is used. */
import { Fields, wrong } from './fields.ts';
import { readRule, readTargets } from './read-rule.ts';
import type { MonitorConfig, Retention, Rule } from './types.ts';

/** A second for five minutes, ten seconds for an hour, a minute for a day. */
const RETENTION: Retention[] = [
  { stepMs: 1_000, keepMs: 300_000 },
  { stepMs: 10_000, keepMs: 3_600_000 },
  { stepMs: 60_000, keepMs: 86_400_000 },
];
const INTERVAL_MS = 1_000;
const SERIES_MAX = 2_000;

const TIERS_MAX = 5;
const CELLS_MAX = 100_000;
const RULES_MAX = 1_000;

/** @throws MonitorError `MONITOR_INVALID_INPUT` that names the option. */
export function readConfig(value: unknown): MonitorConfig {
  const fields = new Fields(value, 'a monitor');
  const config = {
    intervalMs: fields.maybe('intervalMs', (name) => fields.ms(name, 10, 3_600_000)) ?? INTERVAL_MS,
    retention: fields.maybe('retention', () => readRetention(fields)) ?? RETENTION,
    seriesMax:
      fields.maybe('seriesMax', (name) => fields.integer(name, 1, 1_000_000)) ?? SERIES_MAX,
    rules: (fields.maybe('rules', (name) => fields.list(name, RULES_MAX)) ?? []).map(readRule),
    notify: readTargets(fields.take('notify') ?? [], 'the monitor'),
  };
  fields.end();
  refuseTwins(config.rules);
  return config;
}

function readRetention(fields: Fields): Retention[] {
  const list = fields.list('retention', TIERS_MAX).map((each) => {
    const tier = new Fields(each, 'an entry of "retention"');
    const read = { stepMs: tier.integer('stepMs', 10, 86_400_000), keepMs: tier.ms('keepMs', 1) };
    tier.end();
    return read;
  });
  if (list.length === 0) throw fields.fail('retention', 'one resolution or more');
  for (const [at, { stepMs, keepMs }] of list.entries()) {
    const finer = list[at - 1];
    if (keepMs < stepMs) throw fields.fail('retention', 'kept for a step or longer');
    if (!finer) continue;
    if (stepMs <= finer.stepMs || stepMs % finer.stepMs !== 0 || keepMs <= finer.keepMs) {
      throw fields.fail(
        'retention',
        'from fine to coarse: each step a multiple of the one before, each kept for longer',
      );
    }
  }
  if (list.reduce((sum, { stepMs, keepMs }) => sum + keepMs / stepMs, 0) > CELLS_MAX) {
    throw fields.fail('retention', `of ${String(CELLS_MAX)} steps at most`);
  }
  return list;
}

function refuseTwins(rules: readonly Rule[]): void {
  const names = rules.map(({ name }) => name);
  const twin = names.find((name, at) => names.indexOf(name) !== at);
  if (twin !== undefined) throw wrong(`there are two rules of the name ${twin}`);
}
