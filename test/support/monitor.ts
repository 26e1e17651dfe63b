/** Stats as the kernel tells them, for tests that play it. */
import type { MetricSample, PluginStats } from 'troupe/plugin';

import { NO_CALLS } from './stats.ts';

type Fields = Partial<Omit<PluginStats, 'calls'>> & { calls?: Partial<PluginStats['calls']> };

export function statsWith({ calls, ...fields }: Fields = {}): PluginStats {
  return {
    state: 'running',
    generation: 1,
    restarts: 0,
    crashes: 0,
    uptimeMs: 1,
    startedAt: 1,
    calls: { ...NO_CALLS, ...calls },
    latencyMs: { mean: 0, p50: 0, p90: 0, p99: 0, max: 0 },
    cpu: { utilization: 0 },
    memory: { heapUsedBytes: 1, externalBytes: 1 },
    zombies: 0,
    lastCrash: undefined,
    logs: [],
    metrics: [],
    plugin: {},
    ...fields,
  };
}

export function counter(name: string, value: number, labels = {}): MetricSample {
  return { kind: 'counter', name, labels, value };
}

export function gauge(name: string, value: number, labels = {}): MetricSample {
  return { kind: 'gauge', name, labels, value };
}
