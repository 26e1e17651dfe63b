/** What follows from what happened: hooks that ended, threads that died. Pure; see machine.ts. */
import type { PluginError } from '../protocol/errors.ts';
import type {
  Effect,
  EndReport,
  Intent,
  Machine,
  MachineEnv,
  RestartStep,
  Step,
} from './lifecycle.ts';
import { decideRestart, isWanted, type End } from './restart-policy.ts';
import {
  dropStopped,
  END,
  END_AWAITED,
  go,
  hook,
  RESTARTED,
  restarting,
  SETTLE,
  SPAWN,
  stay,
} from './steps.ts';

export function onDone(machine: Machine): Step {
  const { phase, intent } = machine;
  switch (phase.at) {
    case 'loading':
      return go(machine, { at: 'loaded' }, [SETTLE]);
    case 'initializing':
    case 'stopping':
      return go(machine, { at: 'initialized' }, [SETTLE]);
    case 'starting':
    case 'resuming':
      return go(machine, { at: 'running' }, [SETTLE]);
    case 'pausing':
      return go(machine, { at: 'paused' }, [SETTLE]);
    case 'unloading':
      return stay(machine, [END_AWAITED]);
    case 'restarting':
      return restartStepDone(machine, phase.step, intent);
    default:
      return stay(machine, []);
  }
}

function restartStepDone(machine: Machine, step: RestartStep, intent: Intent): Step {
  switch (step) {
    case 'stopping':
    case 'halting':
      return stay(machine, [END_AWAITED]);
    case 'waiting':
      return stay(machine, []);
    case 'loading':
      return go(machine, restarting('initializing'), [hook('init')]);
    case 'initializing':
      return go(machine, restarting('starting'), [hook('start')]);
    case 'starting':
    case 'resuming':
      return intent === 'paused'
        ? go(machine, restarting('pausing'), [hook('pause')])
        : go(machine, { at: 'running' }, [RESTARTED, SETTLE]);
    case 'pausing':
      return intent === 'paused'
        ? go(machine, { at: 'paused' }, [RESTARTED, SETTLE])
        : go(machine, restarting('resuming'), [hook('resume')]);
  }
}

export function onHookFailed(
  machine: Machine,
  event: { error: PluginError; permanent: boolean },
  env: MachineEnv,
): Step {
  const { phase } = machine;
  const { error } = event;
  const settle: Effect = { do: 'settle', error };
  switch (phase.at) {
    case 'loading':
    case 'initializing':
    case 'starting':
      return go(machine, { at: 'failed', error }, [END, settle]);
    case 'pausing':
      return go(machine, { at: 'running' }, [settle], 'running');
    case 'resuming':
      return go(machine, { at: 'paused' }, [settle], 'paused');
    case 'stopping':
      return error.code === 'STOP_TIMEOUT'
        ? go(machine, { at: 'unloaded' }, [END, settle], 'unloaded')
        : go(machine, { at: 'initialized' }, [settle]);
    case 'unloading':
      return go(machine, { ...phase, error }, [END_AWAITED]);
    case 'restarting':
      if (phase.step === 'waiting') return stay(machine, []);
      if (phase.step === 'stopping' || phase.step === 'halting') {
        return stay(machine, [END_AWAITED]);
      }
      if (event.permanent) return permanentError(machine, error, env);
      return restartOrGiveUp(machine, 'abnormal', error, env, [END]);
    default:
      return stay(machine, []);
  }
}

export function onDied(
  machine: Machine,
  event: { end: End; error: PluginError },
  env: MachineEnv,
): Step {
  const { phase } = machine;
  const { end, error } = event;
  const settle: Effect = { do: 'settle', error };
  switch (phase.at) {
    case 'unloaded':
    case 'failed':
      return stay(machine, []);
    case 'loading':
    case 'initializing':
    case 'starting':
    case 'stopping':
      return go(machine, { at: 'failed', error }, [settle]);
    case 'loaded':
    case 'initialized':
      return end === 'abnormal'
        ? go(machine, { at: 'failed', error }, [])
        : go(machine, { at: 'unloaded' }, [], 'unloaded');
    case 'unloading': {
      const outcome: Effect = phase.error ? { do: 'settle', error: phase.error } : SETTLE;
      return go(machine, { at: 'unloaded' }, [outcome]);
    }
    case 'running':
    case 'pausing':
    case 'paused':
    case 'resuming':
      return restartOrGiveUp(machine, end, error, env, []);
    case 'restarting':
      if (phase.step === 'waiting') return stay(machine, []);
      if (phase.step === 'stopping') return go(machine, restarting('loading'), [SPAWN]);
      if (phase.step === 'halting') return go(machine, restarting('waiting'), []);
      return restartOrGiveUp(machine, end, error, env, []);
  }
}

/** It is replaced at once where a life would be started again; where that would not be, the life ends. */
export function onThreadDied(
  machine: Machine,
  event: { end: End; error: PluginError },
  env: MachineEnv,
): Step {
  const { at } = machine.phase;
  if (at === 'loaded' || at === 'initialized') {
    const { machine: next, effects } = onDied(machine, event, env);
    return { machine: next, effects: [END, ...effects] };
  }
  if (at !== 'running' && at !== 'pausing' && at !== 'paused' && at !== 'resuming') {
    return stay(machine, []);
  }
  const { end, error } = event;
  const decision = decideRestart(env.restart, machine.history, end, env);
  if (!decision.restart) return restartOrGiveUp(machine, end, error, env, [END]);
  // it is replaced without a delay, so it counts now
  const restarts = [...decision.history.restarts.slice(0, -1), env.now];
  return { machine: { ...machine, history: { ...decision.history, restarts } }, effects: [] };
}

export function onRetry(machine: Machine): Step {
  const { phase } = machine;
  return phase.at === 'restarting' && phase.step === 'waiting'
    ? go(machine, restarting('loading'), [SPAWN])
    : stay(machine, []);
}

function restartOrGiveUp(
  machine: Machine,
  end: End,
  error: PluginError,
  env: MachineEnv,
  before: Effect[],
): Step {
  if (env.managed) return leaveToGroup(machine, { end, error, permanent: false }, env, before);
  const decision = decideRestart(env.restart, machine.history, end, env);
  if (!decision.restart) {
    if (decision.why === 'too-often') return giveUp(machine, error, 'too-often', before);
    return stayDown(machine, end, error, env, before);
  }
  const { delayMs, history } = decision;
  const next: Machine = { ...machine, history };
  const effects: Effect[] = [...before, { do: 'tell', event: 'restarting', data: { delayMs } }];
  return delayMs === 0
    ? go(next, restarting('loading'), [...effects, SPAWN])
    : go(next, restarting('waiting'), [...effects, { do: 'retry-in', delayMs }]);
}

/** The group hears of every end; what its restart type wants back waits for the group's order. */
function leaveToGroup(
  machine: Machine,
  report: EndReport,
  env: MachineEnv,
  before: Effect[],
): Step {
  const { end, error } = report;
  const { machine: next, effects } = isWanted(env.restart.type, end)
    ? go(machine, restarting('waiting'), before)
    : stayDown(machine, end, error, env, before);
  return { machine: next, effects: [...effects, { do: 'report-end', report }] };
}

function permanentError(machine: Machine, error: PluginError, env: MachineEnv): Step {
  return env.managed
    ? leaveToGroup(machine, { end: 'abnormal', error, permanent: true }, env, [END])
    : giveUp(machine, error, 'permanent-error', [END]);
}

/** The policy does not want it back. */
function stayDown(
  machine: Machine,
  end: End,
  error: PluginError,
  env: MachineEnv,
  before: Effect[],
): Step {
  if (end === 'abnormal') {
    return go(machine, { at: 'failed', error }, [
      ...before,
      { do: 'drop-waiting', error },
      { do: 'settle', error },
    ]);
  }
  const effects: Effect[] = [...before, dropStopped(env), { do: 'settle', error }];
  return go(machine, { at: 'unloaded' }, effects, 'unloaded');
}

function giveUp(machine: Machine, error: PluginError, why: string, before: Effect[]): Step {
  return go(machine, { at: 'failed', error }, [
    ...before,
    { do: 'tell', event: 'gave-up', data: { why } },
    { do: 'drop-waiting', error },
    { do: 'settle', error },
  ]);
}
