/** What a monitor refuses: each by name. */
import { describe, expect, it } from 'vitest';

import { readConfig } from '../../plugins/monitor/read-config.ts';
import { readInput } from '../../plugins/monitor/read-input.ts';

const RULE = { op: 'rule', name: 'r', type: 'threshold', metric: 'x', above: 1 };
const RECORD = { op: 'record', name: 'x', value: 1 };

describe('an input is refused that', () => {
  it.each<[unknown, RegExp]>([
    [undefined, /^the input is undefined, not an object with an op: record, query/],
    [[], /^the input is an array, not an object/],
    [{}, /there is no op undefined: there are record, query, series, rule, rules, unrule, alerts/],
    [{ op: 'drop' }, /there is no op 'drop'/],
    [{ op: 'toString' }, /there is no op 'toString'/],
    [
      { ...RECORD, nmae: 1 },
      /^record has no field 'nmae' \(did you mean 'name'\?\): there are name, kind, value, labels/,
    ],
    [{ ...RECORD, name: 'two words' }, /"name" must be the name of a metric/],
    [{ ...RECORD, name: 'troupe_up' }, /"name" must be without troupe_/],
    [{ ...RECORD, value: '1' }, /"value" must be a finite number/],
    [{ ...RECORD, value: Number.NaN }, /"value" must be a finite number/],
    [{ ...RECORD, value: Infinity }, /"value" must be a finite number/],
    [{ ...RECORD, kind: 'counter', value: -1 }, /"value" must be a number from 0/],
    [{ ...RECORD, kind: 'sum' }, /"kind" must be one of counter, gauge, histogram/],
    [{ ...RECORD, labels: { 'a b': '' } }, /"labels" must be up to 16 labels/],
    [{ ...RECORD, labels: { a: 1 } }, /"labels" must be/],
    [{ ...RECORD, labels: 'a' }, /"labels" must be/],
    [{ op: 'query' }, /"name" must be/],
    [{ op: 'query', name: 'x', aggregate: 'median' }, /"aggregate" must be one of last, avg/],
    [{ op: 'query', name: 'x', aggregate: 'p101' }, /"aggregate" must be/],
    [{ op: 'query', name: 'x', range: { last: 1 } }, /range of a query has no field 'last'/],
    [{ op: 'query', name: 'x', range: { fromMs: 1, lastMs: 1 } }, /"fromMs" and "lastMs"/],
    [{ op: 'query', name: 'x', range: { stepMs: 0.5 } }, /"stepMs" must be/],
    [{ op: 'series', nmae: 'x' }, /has no field 'nmae'/],
    [{ op: 'unrule' }, /"name" must be a text/],
    [{ op: 'alerts', all: true }, /has no field 'all'/],
    [{ op: 'rule' }, /the rule without a name: "type" must be one of/],
    [{ ...RULE, type: 'spike' }, /the rule r: "type" must be one of threshold, rate, absence/],
    [{ ...RULE, metric: undefined }, /the rule r: "metric" must be/],
    [{ ...RULE, above: undefined }, /"above" must be given, or "below" instead of it/],
    [{ ...RULE, below: 0 }, /and not both/],
    [{ ...RULE, clear: 2 }, /"clear" must be at most what "above" is/],
    [{ ...RULE, above: undefined, below: 2, clear: 1 }, /"clear" must be at least what "below" is/],
    [{ ...RULE, forMs: -1 }, /"forMs" must be a number from 0/],
    [{ ...RULE, type: 'rate', aggregate: 'avg' }, /has no field 'aggregate'/],
    [{ ...RULE, type: 'absence' }, /"forMs" must be/],
    [{ ...RULE, type: 'absence', forMs: 1 }, /has no field 'above'/],
    [{ ...RULE, severity: 'bad' }, /"severity" must be one of info, warning, critical/],
    [{ ...RULE, notify: 'pager' }, /"notify" of r must be an object/],
    [{ ...RULE, notify: {} }, /"url" must be an http or https URL/],
    [{ ...RULE, notify: { url: 'ftp://x' } }, /"url" must be an http/],
    [{ ...RULE, notify: { url: 'http://me:word@x' } }, /"url" must be .* without a user name/],
    [{ ...RULE, notify: { url: 'http://x', retries: 99 } }, /"retries" must be a number from 0 to/],
    [{ ...RULE, notify: { url: 'http://x', headers: { 'a b': '' } } }, /"headers" must be/],
    [{ ...RULE, notify: { plugin: 'p', retries: 1 } }, /has no field 'retries'/],
    [{ ...RULE, notify: Array.from({ length: 9 }, () => ({ plugin: 'p' })) }, /8 targets at most/],
  ])('is %j', (input, message) => {
    expect(() => readInput(input)).toThrow(message);
    expect(() => readInput(input)).toThrow(
      expect.objectContaining({ code: 'MONITOR_INVALID_INPUT' }),
    );
  });

  it('never says a URL back', () => {
    const notify = { url: 'ftp://hooks.example/secret' };
    expect(() => readInput({ ...RULE, notify })).not.toThrow(/secret/);
    expect(() => readInput({ ...RULE, notify })).toThrow('"url" must be');
  });
});

const tier = (stepMs: number, keepMs: number) => ({ stepMs, keepMs });

describe('options are refused where', () => {
  it.each<[object, RegExp]>([
    [{ interval: 1 }, /^a monitor has no field 'interval'/],
    [{ intervalMs: 1 }, /"intervalMs" must be a number from 10 to/],
    [{ seriesMax: 0 }, /"seriesMax" must be/],
    [{ retention: [] }, /"retention" must be one resolution or more/],
    [{ retention: [tier(1_000, 10)] }, /"retention" must be kept for a step or longer/],
    [{ retention: [tier(1_000, 60_000), tier(1_500, 90_000)] }, /each step a multiple/],
    [{ retention: [tier(1_000, 60_000), tier(2_000, 60_000)] }, /each kept for longer/],
    [{ retention: [tier(10, 86_400_000)] }, /of 100000 steps at most/],
    [{ rules: {} }, /"rules" must be a list/],
    [
      {
        rules: [
          { ...RULE, op: undefined },
          { ...RULE, op: undefined },
        ],
      },
      /two rules of the name r/,
    ],
    [{ notify: { plugin: '' } }, /"notify" of the monitor: "plugin" must be a text/],
  ])('they are %j', (options, message) => {
    expect(() => readConfig(options)).toThrow(message);
  });

  it('and what was checked is checked again as the same', () => {
    const checked = readConfig({ rules: [{ ...RULE, op: undefined }], notify: { plugin: 'p' } });
    expect(readConfig(checked)).toEqual(checked);
  });
});
