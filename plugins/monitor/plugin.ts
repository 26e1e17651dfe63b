/**
 * Watches the plugins of its manager: pulls their metrics, keeps them as time series, looks at
 * rules and tells alerts. Nothing it waits for holds it up.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { definePlugin, type PluginContext } from 'troupe/plugin';

import { Monitor, type MonitorSnapshot } from './monitor.ts';
import { Notifier } from './notifier.ts';
import { Puller } from './puller.ts';
import { readConfig } from './read-config.ts';
import type { Alert, MonitorInput, MonitorOutput, NotifyTarget, Rule } from './types.ts';
import { post } from './webhook.ts';

/** The topic of `ctx.events` on which alerts are told. */
const TOPIC = 'monitor.alert';

/** For alerts that wait when the monitor is unloaded. */
const DRAIN_MS = 1_000;

export default definePlugin<MonitorInput, MonitorOutput>((ctx) => {
  const config = readConfig(ctx.config);
  const notifier = newNotifier(ctx);
  const tell = (alert: Alert, { notify = config.notify }: Rule): void => {
    ctx.events.emit(TOPIC, alert).catch((error: unknown) => {
      ctx.log.warn(`an alert could not be told: ${String(error)}`);
    });
    notifier.tell(targetsOf(notify), alert);
  };
  const monitor = new Monitor({ config, now, tell });
  const puller = new Puller({
    intervalMs: config.intervalMs,
    now,
    pull: () => ctx.statsAll(),
    pulled: (all) => {
      monitor.collect(all);
    },
    look: () => {
      monitor.look();
    },
    failed: (error) => {
      ctx.log.warn(`the stats of the plugins could not be had: ${String(error)}`);
    },
  });

  return {
    start: () => {
      puller.start();
    },
    pause: () => {
      puller.stop();
    },
    resume: () => {
      puller.start();
    },
    stop: () => {
      puller.stop();
    },
    unload: () => notifier.close(DRAIN_MS),
    execute: (input) => monitor.execute(input),
    health: () => puller.health(),
    stats: () => ({
      series: monitor.store.size,
      samplesRefused: monitor.store.refused,
      recorded: monitor.recorded,
      rules: monitor.watch.rules.length,
      alertsPending: monitor.watch.count('pending'),
      alertsFiring: monitor.watch.count('firing'),
      pulls: puller.counts,
      notifications: notifier.counts,
    }),
    snapshot: () => monitor.snapshot(),
    restore: (saved: MonitorSnapshot) => {
      if (saved.version === 1) monitor.restore(saved);
      else ctx.log.warn('the state of another version of the monitor is not taken over');
    },
  };
});

/** The time of day as it was when the thread began, and steady since. */
function now(): number {
  return Math.round(performance.timeOrigin + performance.now());
}

function newNotifier(ctx: PluginContext): Notifier {
  return new Notifier({
    call: (plugin, alert, options) => ctx.call(plugin, alert, options),
    post,
    failed: (what, { rule }) => {
      ctx.log.warn(`the alert ${rule} did not reach ${what}`);
    },
    sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
  });
}

function targetsOf(notify: NotifyTarget | readonly NotifyTarget[]): readonly NotifyTarget[] {
  return isList(notify) ? notify : [notify];
}

function isList(notify: NotifyTarget | readonly NotifyTarget[]): notify is readonly NotifyTarget[] {
  return Array.isArray(notify);
}
