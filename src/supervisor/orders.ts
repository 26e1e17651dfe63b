/** What a group's orders do in each phase. Pure; see machine.ts. */
import type { PluginError } from '../protocol/errors.ts';
import type { GroupOrder, Machine, Step } from './lifecycle.ts';
import { CANCEL_RETRY, END, go, restarting, shutdown, SPAWN, stay } from './steps.ts';

export function onOrder(machine: Machine, order: GroupOrder): Step {
  switch (order.type) {
    case 'halt':
      return halt(machine);
    case 'revive':
      return revive(machine);
    case 'give-up':
      return giveUp(machine, order.error);
  }
}

/** A plugin that is not up has nothing to stop, and one that is stopped by hand stays so. */
function halt(machine: Machine): Step {
  const { phase } = machine;
  switch (phase.at) {
    case 'running':
    case 'paused':
      return go(machine, restarting('halting'), [shutdown(['stop', 'unload'])]);
    // in the middle of a hook there is no orderly stop
    case 'pausing':
    case 'resuming':
      return go(machine, restarting('waiting'), [END]);
    case 'restarting':
      switch (phase.step) {
        case 'halting':
        case 'waiting':
          return stay(machine, []);
        case 'stopping':
          return go(machine, restarting('halting'), []);
        default:
          return go(machine, restarting('waiting'), [END]);
      }
    default:
      return stay(machine, []);
  }
}

function revive(machine: Machine): Step {
  const { phase } = machine;
  switch (phase.at) {
    case 'unloaded':
    case 'failed':
      return go(machine, restarting('loading'), [SPAWN], 'running');
    case 'restarting':
      return phase.step === 'waiting'
        ? go(machine, restarting('loading'), [SPAWN])
        : stay(machine, []);
    default:
      return stay(machine, []);
  }
}

function giveUp(machine: Machine, error: PluginError): Step {
  if (machine.phase.at !== 'restarting') return stay(machine, []);
  return go(machine, { at: 'failed', error }, [
    CANCEL_RETRY,
    END,
    { do: 'drop-waiting', error },
    { do: 'settle', error },
  ]);
}
