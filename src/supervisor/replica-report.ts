/** What a replica set says of itself: of all its replicas together, and of each. */
import { CRASH_LOG_LINES } from '../protocol/limits.ts';
import { mergeMetrics, type MetricSample } from '../protocol/metrics.ts';
import type {
  HealthReport,
  PluginState,
  PluginStats,
  ReplicaHealth,
  ReplicaStats,
} from '../protocol/report.ts';
import type { Dispatcher } from './dispatcher.ts';
import { Meter } from './meter.ts';

/** @param replicas those that there are now, in order. */
export function jointHealth(state: PluginState, replicas: ReplicaHealth[]): HealthReport {
  // one that restarts or failed leaves the work to the others
  const serving = replicas.filter((replica) => replica.state === state);
  const isUp =
    state === 'running' || state === 'paused' || state === 'initialized' || state === 'loaded';
  const ready = replicas.some((replica) => replica.ready);
  const healthy =
    isUp && serving.every((replica) => replica.healthy) && (ready || state !== 'running');
  const busy = replicas.flatMap(({ busySinceMs }) => busySinceMs ?? []);
  const reasons = replicas.flatMap(({ replica, reason }) =>
    reason === undefined ? [] : [`replica ${String(replica)}: ${reason}`],
  );
  return {
    healthy,
    live: replicas.some((replica) => replica.live),
    ready,
    state,
    ...(busy.length === 0 ? {} : { busySinceMs: Math.max(...busy) }),
    ...(reasons.length === 0 ? {} : { reason: reasons.join('; ') }),
    replicas,
  };
}

/** One replica, as it says itself. */
export interface ReplicaAnswer {
  replica: number;
  dispatcher: Dispatcher;
  stats: PluginStats;
  /** It is one of those that there are now. */
  isMember: boolean;
}

export interface JointStanding {
  state: PluginState;
  generation: number;
  /** The last lines of all of them, oldest first. */
  logs: readonly string[];
  /** Of each that lives. */
  metrics: readonly (readonly MetricSample[])[];
}

/** @param answers of all replicas there ever were: what they counted stays counted. */
export function jointStats(standing: JointStanding, answers: ReplicaAnswer[]): PluginStats {
  const all = answers.map(({ stats }) => stats);
  const meter = new Meter();
  for (const { dispatcher } of answers) meter.add(dispatcher.meter);
  const living = all.filter(({ startedAt }) => startedAt !== undefined);
  const starts = living.flatMap(({ startedAt }) => startedAt ?? []);
  const lastCrashes = all.flatMap(({ lastCrash }) => lastCrash ?? []);
  const memory = all.flatMap((stats) => stats.memory ?? []);
  return {
    state: standing.state,
    generation: standing.generation,
    restarts: sum(all.map(({ restarts }) => restarts)),
    crashes: sum(all.map(({ crashes }) => crashes)),
    uptimeMs: Math.max(0, ...living.map(({ uptimeMs }) => uptimeMs)),
    startedAt: starts.length === 0 ? undefined : Math.min(...starts),
    calls: {
      ...meter.counts(),
      // as they are now: a call may have moved or ended since the first of them answered
      inFlight: sum(answers.map(({ dispatcher }) => dispatcher.inFlight)),
      queued: sum(answers.map(({ dispatcher }) => dispatcher.queued)),
      // they share their dead letters
      deadLetters: Math.max(0, ...all.map(({ calls }) => calls.deadLetters)),
      lateReplies: sum(answers.map(({ dispatcher }) => dispatcher.lateReplies)),
    },
    latencyMs: meter.latency(),
    cpu: { utilization: sum(living.map(({ cpu }) => cpu.utilization)) / (living.length || 1) },
    memory:
      memory.length === 0
        ? undefined
        : {
            heapUsedBytes: sum(memory.map(({ heapUsedBytes }) => heapUsedBytes)),
            externalBytes: sum(memory.map(({ externalBytes }) => externalBytes)),
          },
    zombies: sum(all.map(({ zombies }) => zombies)),
    lastCrash: lastCrashes.reduce<PluginStats['lastCrash']>(
      (last, crash) => (last && last.at > crash.at ? last : crash),
      undefined,
    ),
    logs: standing.logs.slice(-CRASH_LOG_LINES),
    metrics: mergeMetrics(standing.metrics),
    plugin: {},
    replicas: answers.filter(({ isMember }) => isMember).map(ofOne),
  };
}

function ofOne({ replica, dispatcher, stats }: ReplicaAnswer): ReplicaStats {
  const { state, generation, restarts, cpu, plugin } = stats;
  const { inFlight, queued } = dispatcher;
  const { utilization } = cpu;
  return {
    replica,
    state,
    generation,
    restarts,
    calls: { inFlight, queued },
    cpu: { utilization },
    plugin,
  };
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
