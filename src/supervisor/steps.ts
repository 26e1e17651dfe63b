/** What the machine's transitions are made of: effects, and the two ways to end one. */
import { PluginError } from '../protocol/errors.ts';
import type { Effect, Machine, MachineEnv, Phase, RestartStep, Step } from './lifecycle.ts';

export const SETTLE: Effect = { do: 'settle' };
export const SPAWN: Effect = { do: 'spawn' };
export const END: Effect = { do: 'end', awaited: false };
export const END_AWAITED: Effect = { do: 'end', awaited: true };
export const CANCEL_RETRY: Effect = { do: 'cancel-retry' };
export const RESTARTED: Effect = { do: 'tell', event: 'restarted' };

export function hook(name: 'init' | 'start' | 'pause' | 'resume'): Effect {
  return { do: 'hook', hook: name };
}

export function shutdown(hooks: ('stop' | 'unload')[]): Effect {
  return { do: 'shutdown', hooks };
}

export function restarting(step: RestartStep): Phase {
  return { at: 'restarting', step };
}

export function dropStopped({ pluginId }: MachineEnv): Effect {
  const error = new PluginError('PLUGIN_STOPPED', `${pluginId} was stopped before the call began`, {
    pluginId,
  });
  return { do: 'drop-waiting', error };
}

export function go(
  machine: Machine,
  phase: Phase,
  effects: Effect[],
  intent = machine.intent,
): Step {
  return { machine: { ...machine, phase, intent }, effects };
}

export function stay(machine: Machine, effects: Effect[], intent = machine.intent): Step {
  return { machine: intent === machine.intent ? machine : { ...machine, intent }, effects };
}
