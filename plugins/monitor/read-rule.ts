/** Rules as they are given, checked: in the factory, and by the op `rule`. */
import { readAggregate } from './aggregate.ts';
import { Fields, wrong } from './fields.ts';
import type { NotifyTarget, Rule, Severity } from './types.ts';

const SEVERITIES: readonly Severity[] = ['info', 'warning', 'critical'];
const TARGETS_MAX = 8;
const RETRIES_MAX = 10;
const TIMEOUT_MS_MAX = 60_000;

/** @throws MonitorError `MONITOR_INVALID_INPUT` that names the rule and the field. */
export function readRule(value: unknown): Rule {
  const fields = new Fields(value, `the rule ${nameOf(value)}`);
  const type = fields.oneOf('type', ['threshold', 'rate', 'absence']);
  const common = {
    name: fields.text('name'),
    metric: fields.metric('metric'),
    labels: fields.labels('labels'),
    severity: fields.maybe('severity', (name) => fields.oneOf(name, SEVERITIES)) ?? 'warning',
    ...given(
      'message',
      fields.maybe('message', (name) => fields.text(name)),
    ),
    ...given(
      'notify',
      fields.maybe('notify', (name) => readTargets(fields.take(name), nameOf(value))),
    ),
  };
  const rule: Rule =
    type === 'absence'
      ? { type, ...common, forMs: fields.ms('forMs', 1) }
      : type === 'rate'
        ? { type, ...common, ...readBounds(fields), ...readWindow(fields) }
        : {
            type,
            ...common,
            ...readBounds(fields),
            ...given(
              'aggregate',
              fields.maybe('aggregate', () => readAggregate(fields)),
            ),
            ...readWindow(fields),
          };
  fields.end();
  return rule;
}

/** One target or a list of them. */
export function readTargets(value: unknown, owner: string): NotifyTarget[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > TARGETS_MAX) {
    throw wrong(`${owner}: "notify" must be ${String(TARGETS_MAX)} targets at most`);
  }
  return list.map((target) => readTarget(target, owner));
}

function readTarget(value: unknown, owner: string): NotifyTarget {
  const fields = new Fields(value, `"notify" of ${owner}`);
  const timeout = given(
    'timeoutMs',
    fields.maybe('timeoutMs', (name) => fields.ms(name, 1, TIMEOUT_MS_MAX)),
  );
  if (fields.has('plugin')) {
    const target = { plugin: fields.text('plugin'), ...timeout };
    fields.end();
    return target;
  }
  const target = {
    url: readUrl(fields),
    ...given(
      'headers',
      fields.maybe('headers', () => readHeaders(fields)),
    ),
    ...timeout,
    ...given(
      'retries',
      fields.maybe('retries', (name) => fields.integer(name, 0, RETRIES_MAX)),
    ),
  };
  fields.end();
  return target;
}

/** The URL itself is in no message: it may be a secret. */
function readUrl(fields: Fields): string {
  const must = 'an http or https URL without a user name, or name a "plugin"';
  const text = fields.take('url');
  if (typeof text !== 'string' || !URL.canParse(text)) throw fields.fail('url', must);
  const url = new URL(text);
  const isWeb = url.protocol === 'http:' || url.protocol === 'https:';
  if (isWeb && url.username === '' && url.password === '') return url.href;
  throw fields.fail('url', must);
}

function readHeaders(fields: Fields): Record<string, string> {
  const value = fields.take('headers');
  try {
    return Object.fromEntries(new Headers(value as Record<string, string>));
  } catch {
    throw fields.fail('headers', 'an object of header names and texts');
  }
}

function readBounds(fields: Fields): {
  above?: number;
  below?: number;
  clear?: number;
  forMs: number;
} {
  const above = fields.maybe('above', (name) => fields.number(name));
  const below = fields.maybe('below', (name) => fields.number(name));
  const clear = fields.maybe('clear', (name) => fields.number(name));
  if ((above === undefined) === (below === undefined)) {
    throw fields.fail('above', 'given, or "below" instead of it, and not both');
  }
  if (clear !== undefined && (above ?? clear) < clear) {
    throw fields.fail('clear', 'at most what "above" is');
  }
  if (clear !== undefined && (below ?? clear) > clear) {
    throw fields.fail('clear', 'at least what "below" is');
  }
  const forMs = fields.maybe('forMs', (name) => fields.ms(name)) ?? 0;
  return { ...given('above', above), ...given('below', below), ...given('clear', clear), forMs };
}

function readWindow(fields: Fields): { overMs?: number } {
  return given(
    'overMs',
    fields.maybe('overMs', (name) => fields.ms(name, 1)),
  );
}

function nameOf(rule: unknown): string {
  const isNamed = typeof rule === 'object' && rule !== null && 'name' in rule;
  return isNamed && typeof rule.name === 'string' ? rule.name.slice(0, 100) : 'without a name';
}

/** A field that is there only where it has a value. */
function given<K extends string, V>(name: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { [P in K]?: V };
}
