/** Rules: when an alert waits, fires and resolves. */
import { describe, expect, it } from 'vitest';

import { nextPhase, type AlertPhase, type Seen } from '../../plugins/monitor/alert-machine.ts';
import { Monitor } from '../../plugins/monitor/monitor.ts';
import { readConfig } from '../../plugins/monitor/read-config.ts';
import type { Alert, AlertListing, Rule } from '../../plugins/monitor/types.ts';

const START = 1_700_000_000_000;

const OK: AlertPhase = { phase: 'ok' };
const PENDING: AlertPhase = { phase: 'pending', since: 100 };
const FIRING: AlertPhase = { phase: 'firing', since: 100, firedAt: 150 };
const RESOLVED: AlertPhase = { phase: 'resolved', since: 1, firedAt: 2, resolvedAt: 3 };

const begun = (since: number): AlertPhase => ({ phase: 'pending', since });
const over = (resolvedAt: number): AlertPhase => ({ ...FIRING, phase: 'resolved', resolvedAt });

describe('an alert that must hold for 50 ms, seen at 149 and at 150', () => {
  const table: [AlertPhase, Seen, AlertPhase, AlertPhase][] = [
    [OK, 'breached', begun(149), begun(150)],
    [OK, 'between', OK, OK],
    [OK, 'clear', OK, OK],
    [OK, 'gone', OK, OK],
    [PENDING, 'breached', PENDING, FIRING],
    [PENDING, 'between', OK, OK],
    [PENDING, 'clear', OK, OK],
    [PENDING, 'gone', OK, OK],
    [FIRING, 'breached', FIRING, FIRING],
    [FIRING, 'between', FIRING, FIRING],
    [FIRING, 'clear', over(149), over(150)],
    [FIRING, 'gone', over(149), over(150)],
    [RESOLVED, 'breached', begun(149), begun(150)],
    [RESOLVED, 'between', OK, OK],
    [RESOLVED, 'clear', OK, OK],
    [RESOLVED, 'gone', OK, OK],
  ];
  it.each(table)('%o, %s', (before, seen, at149, at150) => {
    expect([nextPhase(before, seen, 149, 50), nextPhase(before, seen, 150, 50)]).toEqual([
      at149,
      at150,
    ]);
  });

  it('fires at once where it need not hold', () => {
    expect(nextPhase(OK, 'breached', 7, 0)).toEqual({ phase: 'firing', since: 7, firedAt: 7 });
  });
});

/** A monitor whose clock is set by the test, and what it told. */
function watching(...rules: Partial<Rule>[]) {
  const clock = { now: START };
  const told: Alert[] = [];
  const monitor = new Monitor({
    config: readConfig({
      rules: rules.map((rule) => Object.assign({ name: 'r', metric: 'x' }, rule)),
    }),
    now: () => clock.now,
    tell: (alert) => told.push(alert),
  });
  const at = (ms: number, work: () => void = () => undefined): string[] => {
    clock.now = START + ms;
    const before = told.length;
    work();
    monitor.look();
    return told.slice(before).map(({ state, labels, value }) => {
      const named = Object.values(labels).join();
      return [state, ...(named === '' ? [] : [named]), value].join(' ');
    });
  };
  const set =
    (value: number, labels = {}, kind = 'gauge') =>
    (): void => {
      monitor.execute({ op: 'record', name: 'x', value, labels, kind });
    };
  const alerts = (): AlertListing => monitor.execute({ op: 'alerts' }) as AlertListing;
  return { at, set, alerts, told, monitor, clock };
}

const labels = (host: string, zone: string) => ({ host, zone });

describe('a threshold', () => {
  it('fires above its bound and resolves at it', () => {
    const { at, set } = watching({ type: 'threshold', above: 10 });
    expect(at(0, set(10))).toEqual([]);
    expect(at(1, set(10.1))).toEqual(['firing 10.1']);
    expect(at(2, set(99))).toEqual([]);
    expect(at(3, set(10))).toEqual(['resolved 10']);
    expect(at(4, set(11))).toEqual(['firing 11']);
  });

  it('fires below its bound as well', () => {
    const { at, set } = watching({ type: 'threshold', below: 1 });
    expect(at(0, set(1))).toEqual([]);
    expect(at(1, set(0))).toEqual(['firing 0']);
    expect(at(2, set(1))).toEqual(['resolved 1']);
  });

  it('with hysteresis resolves only when the value is well back', () => {
    const { at, set } = watching({ type: 'threshold', above: 10, clear: 5 });
    expect(at(0, set(11))).toEqual(['firing 11']);
    expect(at(1, set(6))).toEqual([]);
    expect(at(2, set(12))).toEqual([]);
    expect(at(3, set(5))).toEqual(['resolved 5']);
    expect(at(4, set(6))).toEqual([]);
  });

  it('that must hold for a while is pending first, and a dip begins it anew', () => {
    const { at, set, alerts } = watching({ type: 'threshold', above: 10, forMs: 1_000 });
    expect(at(0, set(11))).toEqual([]);
    expect(alerts().active).toMatchObject([{ state: 'pending', since: START, firedAt: undefined }]);
    expect(at(900, set(9))).toEqual([]);
    expect(alerts()).toEqual({ active: [], recent: [] });
    expect(at(1_000, set(11))).toEqual([]);
    expect(at(1_999)).toEqual([]);
    expect(at(2_000)).toEqual(['firing 11']);
    expect(alerts().active).toMatchObject([{ since: START + 1_000, firedAt: START + 2_000 }]);
  });

  it('is looked at for each series by itself, of those with its labels', () => {
    const { at, set } = watching({ type: 'threshold', above: 10, labels: { zone: 'eu' } });
    expect(at(0, set(11, labels('a', 'eu')))).toEqual(['firing a,eu 11']);
    expect(at(1, set(12, labels('b', 'eu')))).toEqual(['firing b,eu 12']);
    expect(at(2, set(13, labels('c', 'us')))).toEqual([]);
    expect(at(3, set(0, labels('a', 'eu')))).toEqual(['resolved a,eu 0']);
  });

  it('may be of an aggregate over a time', () => {
    const { at, set } = watching({
      type: 'threshold',
      aggregate: 'avg',
      overMs: 10_000,
      above: 10,
    });
    expect(at(0, set(9))).toEqual([]);
    expect(at(1_000, set(13))).toEqual(['firing 11']);
    expect(at(12_000, set(2))).toEqual(['resolved 2']);
  });

  it('of a quantile looks at what was recorded in a histogram, and resolves when nothing is', () => {
    const { at, set } = watching({
      type: 'threshold',
      aggregate: 'p90',
      overMs: 10_000,
      above: 100,
    });
    expect(at(0, set(5, {}, 'histogram'))).toEqual([]);
    expect(at(1_000, set(500, {}, 'histogram'))).toEqual(['firing 500']);
    expect(at(60_000)).toEqual(['resolved ']);
  });

  it('says nothing of a series of a kind that it does not fit', () => {
    const { at, set } = watching({ type: 'threshold', aggregate: 'p90', above: 0 });
    expect(at(0, set(5, {}, 'counter'))).toEqual([]);
  });
});

describe('a rate', () => {
  it('is by second, of what a counter grew by', () => {
    const { at, set } = watching({ type: 'rate', above: 2, overMs: 10_000 });
    expect(at(0, set(0, {}, 'counter'))).toEqual([]);
    expect(at(5_000, set(10, {}, 'counter'))).toEqual([]);
    expect(at(9_000, set(15, {}, 'counter'))).toEqual(['firing 2.7777777777777777']);
    expect(at(40_000, set(1, {}, 'counter'))).toEqual(['resolved 0.1']);
  });

  it('of a gauge is how fast it changes', () => {
    const { at, set } = watching({ type: 'rate', below: -1, overMs: 10_000 });
    expect(at(0, set(100))).toEqual([]);
    expect(at(5_000, set(96))).toEqual([]);
    expect(at(10_000, set(80))).toEqual(['firing -2']);
    expect(at(19_000, set(80))).toEqual(['resolved 0']);
  });

  it('that is too low fires where a counter stands still', () => {
    const { at, set } = watching({ type: 'rate', below: 0.5, overMs: 5_000 });
    expect(at(0, set(10, {}, 'counter'))).toEqual([]);
    expect(at(20_000, set(0, {}, 'counter'))).toEqual(['firing 0']);
  });
});

describe('an absence', () => {
  it('fires when no series had a sample for so long, also where there never was one', () => {
    const { at, set } = watching({ type: 'absence', forMs: 1_000 });
    expect(at(999)).toEqual([]);
    expect(at(1_000)).toEqual(['firing ']);
    expect(at(1_500, set(1, { a: '1' }))).toEqual(['resolved ']);
    expect(at(2_400)).toEqual([]);
    expect(at(2_450, set(1, { a: '2' }))).toEqual([]);
    expect(at(3_449)).toEqual([]);
    expect(at(3_450)).toEqual(['firing ']);
  });
});

describe('rules', () => {
  it('are added, listed, put in the place of others and taken away', () => {
    const { at, set, monitor } = watching();
    const rule = { name: 'hot', type: 'threshold', metric: 'x', above: 1 };
    expect(monitor.execute({ op: 'rule', ...rule })).toEqual({ name: 'hot', replaced: false });
    expect(at(0, set(5))).toEqual(['firing 5']);
    expect(monitor.execute({ op: 'rule', ...rule, above: 7 })).toEqual({
      name: 'hot',
      replaced: true,
    });
    expect(monitor.execute({ op: 'rules' })).toEqual([
      { ...rule, above: 7, labels: {}, severity: 'warning', forMs: 0 },
    ]);
    expect(at(1)).toEqual(['resolved 5']);
    expect(at(2, set(8))).toEqual(['firing 8']);
    expect(at(3, () => monitor.execute({ op: 'unrule', name: 'hot' }))).toEqual(['resolved 8']);
    expect(monitor.execute({ op: 'unrule', name: 'hot' })).toBe(false);
    expect(at(4, set(9))).toEqual([]);
  });

  it('never tell where a webhook leads to, nor its headers', () => {
    const { monitor } = watching();
    const notify = {
      url: 'https://hooks.example/T0/secret?key=1',
      headers: { authorization: 'x' },
    };
    monitor.execute({
      op: 'rule',
      name: 'r',
      type: 'absence',
      metric: 'x',
      forMs: 1,
      notify: [notify, { plugin: 'pager' }],
    });
    expect(monitor.execute({ op: 'rules' })).toMatchObject([
      { notify: [{ url: 'https://hooks.example/…' }, { plugin: 'pager' }] },
    ]);
    expect(JSON.stringify(monitor.execute({ op: 'rules' }))).not.toMatch(/secret|authorization/);
  });

  it('say what is wrong in words of their own', () => {
    const { at, set, told } = watching({
      type: 'threshold',
      above: 1,
      severity: 'critical',
      message: '{host} is at {value} of {metric} ({rule}); {unknown}',
    });
    at(0, set(1.23456789, { host: 'a' }));
    expect(told).toEqual([
      {
        rule: 'r',
        type: 'threshold',
        severity: 'critical',
        metric: 'x',
        labels: { host: 'a' },
        state: 'firing',
        value: 1.23456789,
        message: 'a is at 1.23457 of x (r); {unknown}',
        since: START,
        firedAt: START,
        resolvedAt: undefined,
      },
    ]);
  });

  it('list what was resolved last, a hundred at most', () => {
    const { at, set, alerts } = watching({ type: 'threshold', above: 0 });
    for (let i = 0; i < 120; i++) {
      at(2 * i, set(i + 1));
      at(2 * i + 1, set(0));
    }
    const { active, recent } = alerts();
    expect([active.length, recent.length]).toEqual([0, 100]);
    expect(recent[0]).toMatchObject({ state: 'resolved', resolvedAt: START + 239 });
  });

  it('survive in a snapshot with what fires, what was added and what was taken away', () => {
    const rules: Partial<Rule>[] = [
      { type: 'threshold', above: 1 },
      { name: 'gone', type: 'threshold', above: 1 },
    ];
    const { at, set, monitor } = watching(...rules);
    monitor.execute({ op: 'unrule', name: 'gone' });
    monitor.execute({ op: 'rule', name: 'added', type: 'threshold', metric: 'x', above: 2 });
    expect(at(0, set(5))).toEqual(['firing 5', 'firing 5']);
    const next = watching(...rules);
    next.monitor.restore(structuredClone(monitor.snapshot()));
    expect(next.alerts()).toEqual(monitor.execute({ op: 'alerts' }));
    expect(next.at(1_000)).toEqual([]);
    expect(next.at(2_000, next.set(0))).toEqual(['resolved 0', 'resolved 0']);
    expect(next.monitor.watch.rules.map(({ name }) => name)).toEqual(['r', 'added']);
  });
});
