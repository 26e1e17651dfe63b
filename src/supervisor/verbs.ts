/** What a verb does in each phase. Pure; see machine.ts. */
import { PluginError } from '../protocol/errors.ts';
import type { PluginState } from '../protocol/report.ts';
import {
  stateOf,
  type Machine,
  type MachineEnv,
  type Phase,
  type RestartStep,
  type Step,
  type Verb,
} from './lifecycle.ts';
import { NO_RESTARTS } from './restart-policy.ts';
import {
  CANCEL_RETRY,
  dropStopped,
  END,
  go,
  hook,
  restarting,
  SETTLE,
  shutdown,
  SPAWN,
  stay,
} from './steps.ts';

export function onVerb(machine: Machine, verb: Verb, env: MachineEnv): Step {
  const { phase } = machine;
  if (phase.at === 'restarting') return whileRestarting(machine, phase.step, verb, env);
  switch (verb) {
    case 'load':
      if (phase.at === 'unloaded') {
        const fresh: Machine = { ...machine, history: NO_RESTARTS };
        return go(fresh, { at: 'loading' }, [SPAWN], 'loaded');
      }
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
        return go(machine, { at: 'stopping', from: phase.at }, effects, 'initialized');
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
        [CANCEL_RETRY, END, dropStopped(env), SETTLE],
        'unloaded',
      );
  }
}

function unload(machine: Machine, env: MachineEnv): Step {
  const { phase } = machine;
  const unloading: Phase = { at: 'unloading', from: stateOf(machine), error: undefined };
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

function isServing(phase: Phase): phase is { at: 'running' } | { at: 'paused' } {
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
