/**
 * The lifecycle of one plugin as a pure function: `(machine, event, env) → { machine, effects }`.
 * It starts no thread, no timer and no promise; the supervisor performs the effects and answers
 * with events. What is wanted (`intent`) is kept beside what is (`phase`).
 */
import { PluginError } from '../protocol/errors.ts';
import type { RestartOptions } from '../protocol/limits.ts';
import type { PluginState } from '../protocol/report.ts';
import { decideRestart, NO_RESTARTS, type End, type RestartHistory } from './restart-policy.ts';

export const VERBS = [
  'load',
  'init',
  'start',
  'pause',
  'resume',
  'stop',
  'unload',
  'restart',
] as const;
export type Verb = (typeof VERBS)[number];
export type Intent = 'unloaded' | 'loaded' | 'initialized' | 'running' | 'paused';

/** Where a restart stands. */
export type RestartStep =
  | 'stopping'
  | 'waiting'
  | 'loading'
  | 'initializing'
  | 'starting'
  | 'pausing';

export type Phase =
  | { at: 'unloaded' }
  | { at: 'loading' }
  | { at: 'loaded' }
  | { at: 'initializing' }
  | { at: 'initialized' }
  | { at: 'starting' }
  | { at: 'running' }
  | { at: 'pausing' }
  | { at: 'paused' }
  | { at: 'resuming' }
  | { at: 'stopping' }
  | { at: 'unloading'; error: PluginError | undefined }
  | { at: 'restarting'; step: RestartStep }
  | { at: 'failed'; error: PluginError };

export interface Machine {
  readonly phase: Phase;
  readonly intent: Intent;
  readonly history: RestartHistory;
}

export type LifecycleEvent =
  | { type: Verb }
  /** What the last effect asked for is done. */
  | { type: 'done' }
  /** It failed. `permanent`: trying again cannot help. */
  | { type: 'hook-failed'; error: PluginError; permanent: boolean }
  /** The thread is gone. */
  | { type: 'died'; end: End; error: PluginError }
  /** The backoff is over. */
  | { type: 'retry' };

export type Effect =
  /** Create a thread, import the plugin, run `load`; answers done, hook-failed or died. */
  | { do: 'spawn' }
  | { do: 'hook'; hook: 'init' | 'start' | 'pause' | 'resume' }
  /** Let begun calls end and run these hooks, within the stop deadline. */
  | { do: 'shutdown'; hooks: ('stop' | 'unload')[] }
  /** End the thread now. */
  | { do: 'end' }
  | { do: 'retry-in'; delayMs: number }
  | { do: 'cancel-retry' }
  /** Reject the calls that wait. */
  | { do: 'drop-waiting'; error: PluginError }
  /** The verb under way, if there is one, has its outcome. */
  | { do: 'settle'; error?: PluginError }
  | { do: 'tell'; event: 'restarting' | 'restarted' | 'gave-up'; data?: Record<string, unknown> };

export interface MachineEnv {
  pluginId: string;
  restart: RestartOptions;
  now: number;
  random: () => number;
}

export interface Step {
  machine: Machine;
  effects: Effect[];
}

export const INITIAL: Machine = {
  phase: { at: 'unloaded' },
  intent: 'unloaded',
  history: NO_RESTARTS,
};

/** The state that users see. */
export function stateOf({ phase }: Machine): PluginState {
  switch (phase.at) {
    case 'initializing':
      return 'loaded';
    case 'starting':
      return 'initialized';
    case 'pausing':
    case 'stopping':
      return 'running';
    case 'resuming':
      return 'paused';
    case 'unloading':
      return 'initialized';
    default:
      return phase.at;
  }
}

/** Whether a call is accepted, and whether accepted calls flow to the actor. */
export function callsOf({ phase }: Machine): { accepted: boolean; flowing: boolean } {
  const flowing = phase.at === 'running';
  const accepted =
    flowing ||
    phase.at === 'pausing' ||
    phase.at === 'paused' ||
    phase.at === 'resuming' ||
    phase.at === 'restarting';
  return { accepted, flowing };
}

export function transition(machine: Machine, event: LifecycleEvent, env: MachineEnv): Step {
  switch (event.type) {
    case 'done':
      return onDone(machine);
    case 'hook-failed':
      return onHookFailed(machine, event, env);
    case 'died':
      return onDied(machine, event, env);
    case 'retry':
      return onRetry(machine);
    default:
      return onVerb(machine, event.type, env);
  }
}

function onVerb(machine: Machine, verb: Verb, env: MachineEnv): Step {
  const { phase } = machine;
  if (phase.at === 'restarting') return whileRestarting(machine, phase.step, verb, env);
  switch (verb) {
    case 'load':
      if (phase.at === 'unloaded') return go(machine, { at: 'loading' }, [SPAWN], 'loaded');
      return phase.at === 'failed' ? refuse(machine, verb, env) : reached(machine, verb, env);
    case 'init':
      if (phase.at === 'loaded') {
        return go(machine, { at: 'initializing' }, [hook('init')], 'initialized');
      }
      return isUp(phase) ? stay(machine, [SETTLE]) : refuse(machine, verb, env);
    case 'start':
      if (phase.at === 'initialized') {
        return go(machine, { at: 'starting' }, [hook('start')], 'running');
      }
      return phase.at === 'running' ? stay(machine, [SETTLE]) : refuse(machine, verb, env);
    case 'pause':
      if (phase.at === 'running') return go(machine, { at: 'pausing' }, [hook('pause')], 'paused');
      return phase.at === 'paused' ? stay(machine, [SETTLE]) : refuse(machine, verb, env);
    case 'resume':
      if (phase.at === 'paused')
        return go(machine, { at: 'resuming' }, [hook('resume')], 'running');
      return phase.at === 'running' ? stay(machine, [SETTLE]) : refuse(machine, verb, env);
    case 'stop':
      if (isServing(phase)) {
        const effects = [dropStopped(env), shutdown(['stop'])];
        return go(machine, { at: 'stopping' }, effects, 'initialized');
      }
      return phase.at === 'initialized' ? stay(machine, [SETTLE]) : refuse(machine, verb, env);
    case 'unload':
      return unload(machine, env);
    case 'restart':
      if (phase.at === 'failed') {
        const fresh: Machine = { ...machine, history: NO_RESTARTS, intent: 'running' };
        return go(fresh, restarting('loading'), [SPAWN]);
      }
      if (!isServing(phase)) return refuse(machine, verb, env);
      return go(machine, restarting('stopping'), [shutdown(['stop', 'unload'])]);
  }
}

function whileRestarting(machine: Machine, step: RestartStep, verb: Verb, env: MachineEnv): Step {
  switch (verb) {
    case 'load':
    case 'init':
      return stay(machine, [SETTLE]);
    // settled when it is there
    case 'start':
    case 'resume':
      return stay(machine, [], 'running');
    case 'pause':
      return stay(machine, [], 'paused');
    case 'restart':
      return step === 'waiting'
        ? go(machine, restarting('loading'), [CANCEL_RETRY, SPAWN])
        : stay(machine, []);
    case 'stop':
    case 'unload':
      return go(
        machine,
        { at: 'unloaded' },
        [CANCEL_RETRY, dropStopped(env), END, SETTLE],
        'unloaded',
      );
  }
}

function unload(machine: Machine, env: MachineEnv): Step {
  const { phase } = machine;
  const unloading: Phase = { at: 'unloading', error: undefined };
  switch (phase.at) {
    case 'unloaded':
      return stay(machine, [SETTLE]);
    case 'failed':
      return go(machine, { at: 'unloaded' }, [SETTLE], 'unloaded');
    case 'loaded':
    case 'initialized':
      return go(machine, unloading, [shutdown(['unload'])], 'unloaded');
    case 'running':
    case 'paused':
      return go(machine, unloading, [dropStopped(env), shutdown(['stop', 'unload'])], 'unloaded');
    default:
      return refuse(machine, 'unload', env);
  }
}

function onDone(machine: Machine): Step {
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
      return stay(machine, [END]);
    case 'restarting':
      return restartStepDone(machine, phase.step, intent);
    default:
      return stay(machine, []);
  }
}

function restartStepDone(machine: Machine, step: RestartStep, intent: Intent): Step {
  switch (step) {
    case 'stopping':
      return stay(machine, [END]);
    case 'waiting':
      return stay(machine, []);
    case 'loading':
      return go(machine, restarting('initializing'), [hook('init')]);
    case 'initializing':
      return go(machine, restarting('starting'), [hook('start')]);
    case 'starting':
      return intent === 'paused'
        ? go(machine, restarting('pausing'), [hook('pause')])
        : go(machine, { at: 'running' }, [RESTARTED, SETTLE]);
    case 'pausing':
      return intent === 'paused'
        ? go(machine, { at: 'paused' }, [RESTARTED, SETTLE])
        : go(machine, { at: 'resuming' }, [RESTARTED, hook('resume')]);
  }
}

function onHookFailed(
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
      return go(machine, { at: 'unloading', error }, [END]);
    case 'restarting':
      if (phase.step === 'waiting') return stay(machine, []);
      if (phase.step === 'stopping') return stay(machine, [END]);
      if (event.permanent) return giveUp(machine, error, 'permanent-error', [END]);
      return restartOrGiveUp(machine, 'abnormal', error, env, [END]);
    default:
      return stay(machine, []);
  }
}

function onDied(machine: Machine, event: { end: End; error: PluginError }, env: MachineEnv): Step {
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
      return restartOrGiveUp(machine, end, error, env, []);
  }
}

function onRetry(machine: Machine): Step {
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

const SETTLE: Effect = { do: 'settle' };
const SPAWN: Effect = { do: 'spawn' };
const END: Effect = { do: 'end' };
const CANCEL_RETRY: Effect = { do: 'cancel-retry' };
const RESTARTED: Effect = { do: 'tell', event: 'restarted' };

function hook(name: 'init' | 'start' | 'pause' | 'resume'): Effect {
  return { do: 'hook', hook: name };
}

function shutdown(hooks: ('stop' | 'unload')[]): Effect {
  return { do: 'shutdown', hooks };
}

function restarting(step: RestartStep): Phase {
  return { at: 'restarting', step };
}

function dropStopped({ pluginId }: MachineEnv): Effect {
  const error = new PluginError('PLUGIN_STOPPED', `${pluginId} was stopped before the call began`, {
    pluginId,
  });
  return { do: 'drop-waiting', error };
}

function go(machine: Machine, phase: Phase, effects: Effect[], intent = machine.intent): Step {
  return { machine: { ...machine, phase, intent }, effects };
}

function stay(machine: Machine, effects: Effect[], intent = machine.intent): Step {
  return { machine: intent === machine.intent ? machine : { ...machine, intent }, effects };
}

/** Its goal is reached, or more than that. A verb in the middle of another is a fault of ours. */
function reached(machine: Machine, verb: Verb, env: MachineEnv): Step {
  return machine.phase.at === 'loaded' || isUp(machine.phase)
    ? stay(machine, [SETTLE])
    : refuse(machine, verb, env);
}

function refuse(machine: Machine, verb: Verb, { pluginId }: MachineEnv): Step {
  const state = stateOf(machine);
  const remedy = REMEDIES[verb][state];
  const error = new PluginError(
    'INVALID_STATE',
    `cannot ${verb} ${pluginId}: it is ${state}, and ${verb} needs ${NEEDS[verb]}${remedy ? `; ${remedy}` : ''}`,
    { pluginId, data: { verb, state, needs: NEEDS[verb] } },
  );
  return stay(machine, [{ do: 'settle', error }]);
}

function isUp(phase: Phase): boolean {
  return phase.at === 'initialized' || isServing(phase);
}

function isServing(phase: Phase): boolean {
  return phase.at === 'running' || phase.at === 'paused';
}

const NEEDS: Record<Verb, string> = {
  load: 'unloaded',
  init: 'loaded',
  start: 'initialized',
  pause: 'running',
  resume: 'paused',
  stop: 'running or paused',
  unload: 'any settled state',
  restart: 'running, paused or failed',
};

const REMEDIES: Record<Verb, Partial<Record<PluginState, string>>> = {
  load: { failed: 'call restart or unload first' },
  init: { unloaded: 'call load first', failed: 'call restart or unload first' },
  start: {
    unloaded: 'call load and init first',
    loaded: 'call init first',
    paused: 'call resume',
    failed: 'call restart or unload first',
  },
  pause: {},
  resume: {},
  stop: {},
  unload: {},
  restart: {
    unloaded: 'call load, init and start',
    loaded: 'call init and start',
    initialized: 'call start',
  },
};
