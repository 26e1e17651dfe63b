/** What the kernel knows of a plugin, as samples. Pure. */
import type { MetricLabels, MetricSample, PluginStats } from 'troupe/plugin';

/** `troupe_state` is the place in this list. */
export const STATES = [
  'unloaded',
  'loading',
  'loaded',
  'initialized',
  'running',
  'paused',
  'restarting',
  'failed',
] as const satisfies readonly PluginStats['state'][];

/** What begins so is the monitor's own to record. */
export const KERNEL_PREFIX = 'troupe_';

const OUTCOMES = ['succeeded', 'failed', 'timedOut', 'aborted', 'crashed'] as const;

export function kernelSamples(stats: PluginStats): MetricSample[] {
  const { calls, latencyMs, memory, threads, replicas } = stats;
  const settled = OUTCOMES.reduce((sum, outcome) => sum + calls[outcome], 0);
  return [
    gauge('up', stats.state === 'running' ? 1 : 0),
    gauge('state', STATES.indexOf(stats.state)),
    counter('restarts_total', stats.restarts),
    counter('crashes_total', stats.crashes),
    counter('calls_started_total', calls.started),
    ...OUTCOMES.map((outcome) => counter('calls_total', calls[outcome], { outcome })),
    counter('dead_letters_total', calls.deadLetters),
    counter('late_replies_total', calls.lateReplies),
    gauge('calls_in_flight', calls.inFlight),
    gauge('calls_queued', calls.queued),
    ...(settled === 0
      ? []
      : [
          gauge('call_latency_ms', latencyMs.p50, { quantile: '0.5' }),
          gauge('call_latency_ms', latencyMs.p90, { quantile: '0.9' }),
          gauge('call_latency_ms', latencyMs.p99, { quantile: '0.99' }),
          gauge('call_latency_ms', latencyMs.max, { quantile: '1' }),
        ]),
    gauge('cpu_utilization', stats.cpu.utilization),
    ...(memory
      ? [
          gauge('memory_heap_bytes', memory.heapUsedBytes),
          gauge('memory_external_bytes', memory.externalBytes),
        ]
      : []),
    gauge('zombies', stats.zombies),
    ...(threads ? [gauge('threads', threads.running)] : []),
    ...(replicas ? [gauge('replicas', replicas.length)] : []),
  ];
}

function gauge(name: string, value: number, labels: MetricLabels = {}): MetricSample {
  return { kind: 'gauge', name: KERNEL_PREFIX + name, labels, value };
}

function counter(name: string, value: number, labels: MetricLabels = {}): MetricSample {
  return { kind: 'counter', name: KERNEL_PREFIX + name, labels, value };
}
