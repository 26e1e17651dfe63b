/** The monitor, as users have it: through the package's doors, with real plugins. */
import type { IncomingMessage } from 'node:http';

import type { PluginManager, TypedHandle } from 'troupe';
import {
  monitorPlugin,
  type MonitorAlert as Alert,
  type MonitorInput,
  type MonitorMethods,
  type MonitorOptions,
  type MonitorOutput,
  type MonitorQueryResult as QueryResult,
} from 'troupe/plugins';
import { describe, expect, expectTypeOf, it } from 'vitest';

import { boardOf } from '../support/assistant.ts';
import { eventually } from '../support/eventually.ts';
import { inline } from '../support/files.ts';
import { httpHost } from '../support/http-host.ts';
import { createManager, run, runAssistant } from '../support/manager.ts';
import { causeOf, failureFrom, failureOf, later } from '../support/outcomes.ts';

type MonitorHandle = TypedHandle<MonitorInput, MonitorOutput, MonitorMethods>;

const QUICK = { intervalMs: 25 };

async function runMonitor(
  manager: PluginManager,
  options: MonitorOptions = {},
): Promise<MonitorHandle> {
  const monitor = await manager.register(monitorPlugin('monitor', { ...QUICK, ...options }));
  await monitor.load();
  await monitor.init();
  await monitor.start();
  return monitor;
}

/** What is told on the bus: `firing assistant`. */
function alertsOf(manager: PluginManager): { all: Alert[]; lines: () => string[] } {
  const all: Alert[] = [];
  manager.context.events.on<Alert>('monitor.alert', ({ data }) => all.push(data));
  return {
    all,
    lines: () => all.map(({ state, labels }) => `${state} ${labels['plugin'] ?? ''}`.trim()),
  };
}

const lastOf = ({ series }: QueryResult): number | undefined => series[0]?.points.at(-1)?.value;

interface Posted {
  headers: IncomingMessage['headers'];
  alert: Alert;
}

/** A webhook on this machine. It answers each POST as `answer` says: a status, or never. */
async function webhook(answer: (count: number) => number | undefined) {
  const posted: Posted[] = [];
  const host = await httpHost(({ headers }, response) => {
    posted.push({ headers, alert: JSON.parse(host.asked.at(-1)?.body ?? '') as Alert });
    const status = answer(posted.length);
    if (status !== undefined) response.writeHead(status).end('ignored');
  });
  return { posted, url: `${host.url}/hooks/s3cret` };
}

describe('a monitor', () => {
  it.each(['thread', 'process'] as const)(
    'in a %s has series of every plugin, its own among them, and of what plugins measure',
    async (isolation) => {
      const manager = createManager();
      const monitor = await runMonitor(manager, { isolation });
      const plugin = await run(manager, 'measured.mjs');
      await plugin.execute({ do: 'count', name: 'served', labels: { language: 'en' }, by: 3 });
      await plugin.execute({ do: 'record', name: 'size', values: [1, 2, 400] });
      await eventually(async () => {
        const served = await monitor.query({ name: 'served', labels: { plugin: 'measured' } });
        expect(served.series[0]?.labels).toEqual({ language: 'en', plugin: 'measured' });
        expect(lastOf(served)).toBe(3);
      });
      await eventually(async () => {
        expect(lastOf(await monitor.query({ name: 'size', aggregate: 'p100' }))).toBe(400);
      });
      const calls = {
        name: 'troupe_calls_total',
        labels: { plugin: 'measured', outcome: 'succeeded' },
      };
      await eventually(async () => {
        expect(lastOf(await monitor.query(calls))).toBe(2);
      });
      const up = await monitor.series({ name: 'troupe_up' });
      expect(up.map(({ labels, last }) => [labels['plugin'], last])).toEqual([
        ['monitor', 1],
        ['measured', 1],
      ]);
      expect((await monitor.health()).healthy).toBe(true);
    },
  );

  it('records what it is given, and answers each op with its own type', async () => {
    const manager = createManager();
    const monitor = await runMonitor(manager);
    await monitor.record('temperature', 20, { labels: { room: 'a' } });
    await monitor.record('temperature', 22, { labels: { room: 'a' } });
    await monitor.record('orders', 2, { kind: 'counter' });
    await monitor.execute({ op: 'record', name: 'orders', value: 3, kind: 'counter' });
    const result = await monitor.query({ name: 'temperature', aggregate: 'max' });
    expectTypeOf(result).toEqualTypeOf<QueryResult>();
    expect(lastOf(result)).toBe(22);
    const typed = await monitor.execute({ op: 'query', name: 'orders', aggregate: 'sum' });
    expectTypeOf(typed).toEqualTypeOf<QueryResult>();
    expect(typed.series[0]?.points.reduce((sum, { value }) => sum + value, 0)).toBe(5);
    expect((await monitor.stats())?.plugin).toMatchObject({ recorded: 4, samplesRefused: 0 });
    // @ts-expect-error there is no such op
    void (() => monitor.execute({ op: 'drop' }));
  });

  it('takes the options of a call with those of an op', async () => {
    const manager = createManager();
    const monitor = await runMonitor(manager);
    const call = { timeoutMs: 30_000, signal: new AbortController().signal };
    await monitor.record('temperature', 20, { labels: { room: 'a' }, ...call });
    const { series } = await monitor.query({ name: 'temperature', ...call });
    expect(series.map(({ labels }) => labels)).toEqual([{ room: 'a' }]);
    expect(await monitor.series({ name: 'temperature', ...call })).toHaveLength(1);
    expect(await monitor.rules(call)).toEqual([]);
    const aborted = { signal: AbortSignal.abort() };
    const rule = { name: 'hot', type: 'threshold', metric: 'temperature', above: 30 } as const;
    for (const refused of [
      monitor.record('temperature', 21, aborted),
      monitor.query({ name: 'temperature', ...aborted }),
      monitor.series(aborted),
      monitor.rule(rule, aborted),
      monitor.rules(aborted),
      monitor.unrule('hot', aborted),
      monitor.alerts(aborted),
    ]) {
      expect((await failureOf(refused)).code).toBe('CALL_ABORTED');
    }
  });

  it('refuses a wrong input by name, as an error of that call', async () => {
    const manager = createManager();
    const monitor = await runMonitor(manager);
    const error = await failureOf(monitor.query({ name: 'x', aggregate: 'median' as 'avg' }));
    expect(error).toMatchObject({ code: 'CALL_FAILED' });
    expect(causeOf(error)).toMatchObject({ name: 'MonitorError', code: 'MONITOR_INVALID_INPUT' });
    expect(causeOf(error).message).toContain('"aggregate" must be one of last, avg');
    expect((await monitor.stats())?.restarts).toBe(0);
  });

  it('is refused by its factory where an option or a rule is wrong', async () => {
    const rule = { name: 'hot', type: 'threshold', metric: 'x' } as const;
    const wrong: [MonitorOptions, string][] = [
      [{ intervalMs: 0 }, '"intervalMs" must be'],
      [{ rules: [rule] }, 'the rule hot: "above" must be'],
      [{ isolation: 'pool' }, '"isolation"'],
      [{ every: 5 } as MonitorOptions, "no field 'every'"],
    ];
    for (const [options, message] of wrong) {
      const error = await failureFrom(() => monitorPlugin('m', options));
      expect(error).toMatchObject({ code: 'INVALID_SPEC', pluginId: 'm' });
      expect(error.message).toContain(message);
    }
  });

  it('pulls nothing while it is paused', async () => {
    const manager = createManager();
    const monitor = await runMonitor(manager);
    const clock = await manager.register(monitorPlugin('clock', QUICK));
    for (const verb of ['load', 'init', 'start'] as const) await clock[verb]();
    const pulls = async (id: string): Promise<number> => {
      const told = (await manager.stats(id))?.plugin['pulls'] as { done: number } | undefined;
      return told?.done ?? 0;
    };
    await monitor.pause();
    const [mine, before] = [await pulls('monitor'), await pulls('clock')];
    await eventually(async () => {
      expect(await pulls('clock')).toBeGreaterThan(before + 5);
    });
    // one was under way
    expect(await pulls('monitor')).toBeLessThanOrEqual(mine + 1);
    await monitor.resume();
    await eventually(async () => {
      expect(await pulls('monitor')).toBeGreaterThan(mine + 1);
    });
  });
});

describe('an alert', () => {
  it('fires when a plugin crashes, and resolves when it is back', async () => {
    const manager = createManager();
    const told = alertsOf(manager);
    // it stays away until it is restarted by hand
    const plugin = await runAssistant(manager, { restart: { type: 'temporary' } });
    const labels = { plugin: 'assistant' };
    const monitor = await runMonitor(manager, {
      rules: [
        { name: 'down', type: 'threshold', metric: 'troupe_up', labels, below: 1 },
        { name: 'crashing', type: 'threshold', metric: 'troupe_crashes_total', labels, above: 0 },
      ],
    });
    await eventually(async () => {
      expect(await monitor.series({ name: 'troupe_up', labels })).toMatchObject([{ last: 1 }]);
    });
    await failureOf(plugin.execute({ do: 'exit', code: 1 }));
    await eventually(() => {
      expect(told.lines().toSorted()).toEqual(['firing assistant', 'firing assistant']);
    });
    await plugin.restart();
    await eventually(() => {
      expect(told.all.map(({ rule, state }) => `${rule} ${state}`)).toContain('down resolved');
    });
    const { active, recent } = await monitor.alerts();
    expect(active).toMatchObject([{ rule: 'crashing', state: 'firing', value: 1 }]);
    expect(recent).toMatchObject([{ rule: 'down', state: 'resolved', value: 1 }]);
    expect(told.all[0]).toMatchObject({ severity: 'warning', labels, type: 'threshold' });
  });

  it('fires when a queue grows, once it has held for a while, and resolves when it is empty', async () => {
    const manager = createManager();
    const told = alertsOf(manager);
    const monitor = await runMonitor(manager, {
      rules: [
        {
          name: 'queue',
          type: 'threshold',
          metric: 'troupe_calls_queued',
          above: 5,
          clear: 0,
          forMs: 100,
          message: '{plugin} has {value} calls waiting',
        },
      ],
    });
    const plugin = await runAssistant(manager);
    const board = await boardOf(manager);
    const held = later(plugin.execute({ do: 'hold' }));
    await board.hasBegun(1);
    // more than are sent ahead: the others wait in the mailbox
    const waiting = Array.from({ length: 1_100 }, () => later(plugin.execute({ do: 'echo' })));
    await eventually(async () => {
      expect(await monitor.alerts()).toMatchObject({ active: [{ rule: 'queue' }] });
    });
    await eventually(() => {
      expect(told.lines()).toEqual(['firing assistant']);
    });
    const [alert] = told.all;
    expect((alert?.firedAt ?? 0) - (alert?.since ?? 0)).toBeGreaterThanOrEqual(100);
    expect(alert?.message).toMatch(/^assistant has \d+ calls waiting$/);
    await board.release();
    await Promise.all([held, ...waiting]);
    await eventually(() => {
      expect(told.lines()).toEqual(['firing assistant', 'resolved assistant']);
    });
  });

  it('fires when something is absent, and resolves when it comes', async () => {
    const manager = createManager();
    const told = alertsOf(manager);
    const monitor = await runMonitor(manager);
    const rule = { name: 'silent', type: 'absence', metric: 'heartbeat', forMs: 100 } as const;
    expect(await monitor.rule(rule)).toEqual({ name: 'silent', replaced: false });
    expect(await monitor.rules()).toEqual([{ ...rule, labels: {}, severity: 'warning' }]);
    await eventually(() => {
      expect(told.lines()).toEqual(['firing']);
    });
    const beating = setInterval(() => void monitor.record('heartbeat', 1), 10);
    await eventually(() => {
      expect(told.lines()).toEqual(['firing', 'resolved']);
    }).finally(() => {
      clearInterval(beating);
    });
    expect(await monitor.unrule('silent')).toBe(true);
    expect(await monitor.unrule('silent')).toBe(false);
  });

  it.each(['thread', 'process'] as const)(
    'of a monitor in a %s survives a reload with its series: it does not fire again, and resolves after it',
    async (isolation) => {
      const manager = createManager();
      const told = alertsOf(manager);
      const monitor = await runMonitor(manager, { isolation });
      await monitor.rule({ name: 'hot', type: 'threshold', metric: 'temperature', above: 30 });
      await monitor.record('temperature', 31);
      await eventually(() => {
        expect(told.lines()).toEqual(['firing']);
      });
      expect(await monitor.reload()).toMatchObject({ ok: true, statePreserved: true });
      expect(await monitor.alerts()).toMatchObject({ active: [{ rule: 'hot', state: 'firing' }] });
      expect(lastOf(await monitor.query({ name: 'temperature' }))).toBe(31);
      await monitor.record('temperature', 20);
      await eventually(() => {
        expect(told.lines()).toEqual(['firing', 'resolved']);
      });
    },
  );
});

describe('a notification', () => {
  const rule = { name: 'hot', type: 'threshold', metric: 'temperature', above: 30 } as const;

  it('is posted to a webhook as JSON, again after a failure', async () => {
    const manager = createManager();
    const hook = await webhook((count) => (count === 1 ? 503 : 204));
    const headers = { authorization: 'Bearer t0ken' };
    const monitor = await runMonitor(manager, {
      notify: { url: hook.url, headers },
      rules: [rule],
    });
    await monitor.record('temperature', 31);
    await eventually(() => {
      expect(hook.posted.map(({ alert }) => alert.state)).toEqual(['firing', 'firing']);
    });
    await monitor.record('temperature', 29);
    await eventually(() => {
      expect(hook.posted.map(({ alert }) => alert.state)).toEqual(['firing', 'firing', 'resolved']);
    });
    expect(hook.posted[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      'authorization': 'Bearer t0ken',
    });
    expect(hook.posted[0]?.alert).toMatchObject({ rule: 'hot', metric: 'temperature', value: 31 });
    await eventually(async () => {
      expect((await monitor.stats())?.plugin['notifications']).toEqual({
        sent: 2,
        failed: 0,
        retried: 1,
        dropped: 0,
        waiting: 0,
      });
    });
  });

  it('that cannot be delivered is counted, is told without the URL, and stops nothing', async () => {
    const manager = createManager();
    const told = alertsOf(manager);
    const hook = await webhook(() => 404);
    const monitor = await runMonitor(manager, {
      rules: [{ ...rule, notify: [{ url: hook.url }, { plugin: 'nobody' }] }],
    });
    await monitor.record('temperature', 31);
    await eventually(async () => {
      expect((await monitor.stats())?.plugin['notifications']).toMatchObject({ failed: 2 });
    });
    const logs = (await monitor.stats())?.logs.join('\n') ?? '';
    expect(logs).toMatch(/the alert hot did not reach http:\/\/127.0.0.1:\d+\/…: it answered 404/);
    expect(logs).toContain('the alert hot did not reach the plugin nobody');
    expect(logs).not.toContain('s3cret');
    await monitor.record('temperature', 0);
    await eventually(() => {
      expect(told.lines()).toEqual(['firing', 'resolved']);
    });
  });

  it('calls a plugin with the alert; one that hangs holds up neither the monitor nor others', async () => {
    const manager = createManager();
    const told = alertsOf(manager);
    const pager = await manager.register({
      id: 'pager',
      type: 'custom',
      entry: inline(`
        const heard = [];
        export default (alert) => (alert === 'heard' ? heard : void heard.push(alert));
      `),
    });
    const notify = [{ plugin: 'assistant', timeoutMs: 300 }, { plugin: 'pager' }];
    const monitor = await runMonitor(manager, { rules: [rule], notify });
    for (const verb of ['load', 'init', 'start'] as const) await pager[verb]();
    const assistant = await runAssistant(manager);
    // what it is called with it does not know; it is busy with this anyway
    void later(assistant.execute({ do: 'until-aborted' }));
    for (const value of [31, 0]) {
      await monitor.record('temperature', value);
      await eventually(() => {
        expect(told.all.at(-1)?.state).toBe(value > 30 ? 'firing' : 'resolved');
      });
    }
    await eventually(async () => {
      expect(await pager.execute('heard')).toMatchObject([
        { rule: 'hot', state: 'firing', value: 31 },
        { rule: 'hot', state: 'resolved', value: 0 },
      ]);
    });
    await eventually(async () => {
      expect((await monitor.stats())?.plugin['notifications']).toMatchObject({
        sent: 2,
        failed: 2,
        waiting: 0,
      });
    });
    expect((await monitor.stats())?.restarts).toBe(0);
  });
});
