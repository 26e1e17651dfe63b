/**
 * The lifecycle of one plugin as a pure function: `(machine, event, env) → { machine, effects }`.
 * It starts no thread, no timer and no promise; the supervisor performs the effects and answers
 * with events.
 */
import type { LifecycleEvent, Machine, MachineEnv, Step } from './lifecycle.ts';
import { onOrder } from './orders.ts';
import { onDied, onDone, onHookFailed, onRetry, onThreadDied } from './outcomes.ts';
import { onVerb } from './verbs.ts';

export { callsOf, INITIAL, isAtRest, stateOf, VERBS } from './lifecycle.ts';
export type {
  Effect,
  EndReport,
  GroupOrder,
  Intent,
  LifecycleEvent,
  Machine,
  MachineEnv,
  Phase,
  RestartStep,
  Step,
  Verb,
} from './lifecycle.ts';

export function transition(machine: Machine, event: LifecycleEvent, env: MachineEnv): Step {
  switch (event.type) {
    case 'done':
      return onDone(machine);
    case 'hook-failed':
      return onHookFailed(machine, event, env);
    case 'died':
      return onDied(machine, event, env);
    case 'thread-died':
      return onThreadDied(machine, event, env);
    case 'retry':
      return onRetry(machine);
    case 'halt':
    case 'revive':
    case 'give-up':
      return onOrder(machine, event);
    default:
      return onVerb(machine, event.type, env);
  }
}
