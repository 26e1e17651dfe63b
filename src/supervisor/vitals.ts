/** How a plugin is: health and stats, bounded in time and never blocked by a busy plugin. */
import { bodyOf, decode } from '../protocol/codec.ts';
import { BUSY_ANSWER_MS, RUNTIME_LIMITS } from '../protocol/limits.ts';
import type { PluginPlan } from '../protocol/manifest.ts';
import type { ActorStats, EncodedValue } from '../protocol/messages.ts';
import type { CrashReport, HealthReport, PluginState, PluginStats } from '../protocol/report.ts';
import { TIMED_OUT, within } from './deadline.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Life } from './life.ts';

/** What is known without asking the thread. */
export interface Standing {
  state: PluginState;
  generation: number;
  restarts: number;
  crashes: number;
  zombies: number;
  lastCrash: CrashReport | undefined;
  /** Its last log lines, oldest first. */
  logs: readonly string[];
  life: Life | undefined;
  /** Its thread stands still at a checkpoint: it can't answer, and need not. */
  parked: boolean;
}

export async function healthOf(plan: PluginPlan, standing: Standing): Promise<HealthReport> {
  const { state, life } = standing;
  if (!life) {
    const reason = state === 'failed' ? 'it failed; call restart or unload' : `it is ${state}`;
    return { healthy: false, live: false, ready: false, state, reason };
  }
  if (standing.parked) return { healthy: true, live: true, ready: false, state };
  if (life.diagnosis.standsStill) {
    const reason = 'a snapshot of its heap is being taken';
    return { healthy: true, live: true, ready: false, state, reason };
  }
  const busySinceMs = busyFor(life);
  const answer = await askVital(life, plan, () => life.control.health());
  const busy = busySinceMs === undefined ? {} : { busySinceMs };
  if (answer === TIMED_OUT) {
    const busyNow = busyFor(life);
    // inside a call that is within its deadline, or it would have been ended
    if (busyNow !== undefined) {
      return { healthy: true, live: true, ready: state === 'running', state, busySinceMs: busyNow };
    }
    const reason = `it does not answer, though it is idle`;
    return { healthy: false, live: false, ready: false, state, reason };
  }
  const up =
    state === 'running' || state === 'paused' || state === 'initialized' || state === 'loaded';
  return {
    healthy: up && answer.ready,
    live: true,
    ready: state === 'running' && answer.ready,
    state,
    ...busy,
    ...(answer.reason === undefined ? {} : { reason: answer.reason }),
    ...(answer.detail === undefined ? {} : { detail: decodeVital(answer.detail) }),
  };
}

export async function statsOf(
  plan: PluginPlan,
  standing: Standing,
  dispatcher: Dispatcher,
): Promise<PluginStats> {
  const { state, generation, restarts, crashes, zombies, lastCrash, logs, life, parked } = standing;
  const answer =
    life && !parked && !life.diagnosis.standsStill
      ? await askVital(life, plan, () => life.control.stats())
      : TIMED_OUT;
  const { meter } = dispatcher;
  const { inFlight, queued, deadLetters, lateReplies } = dispatcher;
  const plugin = answer === TIMED_OUT ? undefined : decodeVital(answer.plugin);
  return {
    state,
    generation,
    restarts,
    crashes,
    uptimeMs: life ? Date.now() - life.startedAt : 0,
    startedAt: life?.startedAt,
    calls: {
      ...meter.counts(),
      inFlight,
      queued,
      deadLetters: deadLetters.count,
      lateReplies,
    },
    latencyMs: meter.latency(),
    cpu: { utilization: utilizationOf(life, answer === TIMED_OUT ? undefined : answer) },
    memory:
      answer === TIMED_OUT
        ? undefined
        : { heapUsedBytes: answer.heapUsedBytes, externalBytes: answer.externalBytes },
    zombies,
    lastCrash,
    logs: [...logs],
    ...(life?.threads ? { threads: life.threads() } : {}),
    metrics: answer === TIMED_OUT ? [] : answer.metrics,
    plugin: isRecord(plugin) ? plugin : {},
  };
}

/** Seen from outside where that is possible, or else as it says itself; who is silent inside a call is busy. */
function utilizationOf(life: Life | undefined, answer: ActorStats | undefined): number {
  if (!life) return 0;
  const seen = life.utilization() ?? answer?.utilization;
  return seen ?? (busyFor(life) === undefined ? 0 : 1);
}

/** A thread known to be inside a call gets less time: it will not answer before that ends. */
async function askVital<T>(
  life: Life,
  plan: PluginPlan,
  ask: () => Promise<T>,
): Promise<T | typeof TIMED_OUT> {
  const { healthTimeoutMs } = plan.limits;
  const limit =
    busyFor(life) === undefined ? healthTimeoutMs : Math.min(BUSY_ANSWER_MS, healthTimeoutMs);
  const gone = life.died.then((): typeof TIMED_OUT => TIMED_OUT);
  return within(Promise.race([ask(), gone]), limit);
}

function busyFor(life: Life): number | undefined {
  const since = life.board.busySince();
  return since === undefined ? undefined : Math.max(0, Date.now() - since);
}

function decodeVital(value: EncodedValue | undefined): unknown {
  if (!value) return undefined;
  try {
    return decode(bodyOf({ ...value, attachments: [] }), RUNTIME_LIMITS);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
