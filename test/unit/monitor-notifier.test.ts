/** How alerts get to plugins and webhooks. */
import { describe, expect, it } from 'vitest';

import { backoffMs, Notifier, Refused, WAITING_MAX } from '../../plugins/monitor/notifier.ts';
import type { Alert, NotifyTarget } from '../../plugins/monitor/types.ts';
import { turns } from '../support/turns.ts';

const alertNamed = (rule: string): Alert => ({
  rule,
  type: 'threshold',
  severity: 'warning',
  metric: 'x',
  labels: {},
  state: 'firing',
  value: 1,
  message: '',
  since: 0,
  firedAt: 0,
  resolvedAt: undefined,
});

type Deliver = (target: NotifyTarget, alert: Alert) => Promise<void>;

/** A notifier whose deliveries and waits a test plays. */
function notifying(deliver: Deliver) {
  const failures: string[] = [];
  const waits: number[] = [];
  const notifier = new Notifier({
    call: (plugin, alert) => deliver({ plugin }, alert),
    post: (target, alert) => deliver(target, alert),
    failed: (what, { rule }) => failures.push(`${rule}: ${what}`),
    sleep: async (ms) => {
      waits.push(ms);
      await Promise.resolve();
    },
  });
  return { notifier, failures, waits };
}

const PAGER = { plugin: 'pager' };
const HOOK = { url: 'https://hooks.example/secret' };
const never = (): Promise<void> => new Promise(() => undefined);

describe('an alert', () => {
  it('goes to all its targets, in order at each', async () => {
    const heard: string[] = [];
    const { notifier } = notifying(async (target, { rule }) => {
      await Promise.resolve();
      heard.push(`${rule} ${'plugin' in target ? target.plugin : target.url}`);
    });
    for (const rule of ['a', 'b']) notifier.tell([PAGER, HOOK], alertNamed(rule));
    await turns();
    expect(heard.filter((line) => line.endsWith('pager'))).toEqual(['a pager', 'b pager']);
    expect(heard.filter((line) => line.endsWith('secret'))).toEqual([
      `a ${HOOK.url}`,
      `b ${HOOK.url}`,
    ]);
    expect(notifier.counts).toEqual({ sent: 4, failed: 0, retried: 0, dropped: 0, waiting: 0 });
  });

  it('is tried again at a webhook, later and later, and given up at last', async () => {
    const { notifier, failures, waits } = notifying(() =>
      Promise.reject(new Error('ECONNREFUSED')),
    );
    notifier.tell([HOOK], alertNamed('a'));
    await turns();
    expect(waits).toEqual([500, 1_000, 2_000]);
    expect(failures).toEqual(['a: https://hooks.example/…: ECONNREFUSED']);
    expect(notifier.counts).toMatchObject({ sent: 0, failed: 1, retried: 3, waiting: 0 });
    expect(backoffMs(10)).toBe(30_000);
  });

  it('is not tried again where that is no use, nor at a plugin, nor where it is not to be', async () => {
    const { notifier, waits } = notifying((target) =>
      Promise.reject('plugin' in target ? new Error('down') : new Refused('it answered 404')),
    );
    notifier.tell([HOOK, PAGER], alertNamed('a'));
    await turns();
    const other = notifying(() => Promise.reject(new Error('down')));
    other.notifier.tell([{ ...HOOK, retries: 0 }], alertNamed('a'));
    await turns();
    expect([waits, other.waits]).toEqual([[], []]);
    expect([notifier.counts.failed, other.notifier.counts.failed]).toEqual([2, 1]);
  });

  it('that comes back after a failure is sent', async () => {
    let tries = 0;
    const { notifier, failures } = notifying(async () => {
      await Promise.resolve();
      if (++tries < 3) throw new Error('it answered 503');
    });
    notifier.tell([HOOK], alertNamed('a'));
    await turns();
    expect(failures).toEqual([]);
    expect(notifier.counts).toMatchObject({ sent: 1, failed: 0, retried: 2 });
  });
});

describe('a target that hangs', () => {
  it('holds up no other, and only so many alerts wait for it', async () => {
    const heard: string[] = [];
    const { notifier } = notifying(async (target, { rule }) => {
      if (!('plugin' in target)) await never();
      heard.push(rule);
    });
    for (let i = 0; i < WAITING_MAX + 10; i++) notifier.tell([HOOK], alertNamed('hook'));
    expect(notifier.counts).toMatchObject({ waiting: WAITING_MAX, dropped: 10 });
    const other = notifying(async (target, { rule }) => {
      if (!('plugin' in target)) await never();
      heard.push(rule);
    });
    other.notifier.tell([HOOK], alertNamed('hook'));
    other.notifier.tell([PAGER], alertNamed('page'));
    await turns();
    expect(heard).toEqual(['page']);
  });
});

describe('a notifier that is closed', () => {
  it('lets what waits arrive first, and drops what comes later', async () => {
    const releases: (() => void)[] = [];
    const { notifier, waits } = notifying(() => new Promise((resolve) => releases.push(resolve)));
    notifier.tell([PAGER], alertNamed('a'));
    await turns();
    await notifier.close(100);
    expect(waits).toEqual([100]);
    notifier.tell([PAGER], alertNamed('b'));
    expect(notifier.counts).toMatchObject({ waiting: 1, dropped: 1 });
  });
});
