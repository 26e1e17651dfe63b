/** The lifecycle machine in words: short names for its phases and events, and its steps as text. */
import { PluginError } from '../../src/protocol/errors.ts';
import { DEFAULT_RESTART } from '../../src/protocol/limits.ts';
import {
  VERBS,
  type Effect,
  type Intent,
  type LifecycleEvent,
  type Machine,
  type MachineEnv,
  type Phase,
  type RestartStep,
  type Step,
} from '../../src/supervisor/machine.ts';
import { NO_RESTARTS } from '../../src/supervisor/restart-policy.ts';

/** What the event under test brings. */
export const FAULT = new PluginError('CALL_FAILED', 'the fault of this event');
/** What an `unloading` phase has kept. */
export const KEPT = new PluginError('CALL_FAILED', 'an earlier fault');

export const ENV: MachineEnv = {
  pluginId: 'p',
  managed: false,
  restart: DEFAULT_RESTART,
  now: 1_000_000,
  random: () => 0,
};

const overdue = new PluginError('STOP_TIMEOUT', 'did not stop');

export const EVENTS = {
  ...(Object.fromEntries(VERBS.map((verb) => [verb, { type: verb }])) as Record<
    (typeof VERBS)[number],
    LifecycleEvent
  >),
  'done': { type: 'done' },
  'fails': { type: 'hook-failed', error: FAULT, permanent: false },
  'fails-for-good': { type: 'hook-failed', error: FAULT, permanent: true },
  'overdue': { type: 'hook-failed', error: overdue, permanent: false },
  'exits': { type: 'died', end: 'normal', error: FAULT },
  'shuts-down': { type: 'died', end: 'shutdown', error: FAULT },
  'crashes': { type: 'died', end: 'abnormal', error: FAULT },
  'retry': { type: 'retry' },
  'halt': { type: 'halt' },
  'revive': { type: 'revive' },
  'give-up': { type: 'give-up', error: FAULT },
} satisfies Record<string, LifecycleEvent>;
export type EventName = keyof typeof EVENTS;

/** Every phase, with the intent that leads there. `!` is an error that is kept. */
export const PHASES: Record<string, Machine> = {
  'unloaded': machine({ at: 'unloaded' }, 'unloaded'),
  'loading': machine({ at: 'loading' }, 'loaded'),
  'loaded': machine({ at: 'loaded' }, 'loaded'),
  'initializing': machine({ at: 'initializing' }, 'initialized'),
  'initialized': machine({ at: 'initialized' }, 'initialized'),
  'starting': machine({ at: 'starting' }, 'running'),
  'running': machine({ at: 'running' }, 'running'),
  'pausing': machine({ at: 'pausing' }, 'paused'),
  'paused': machine({ at: 'paused' }, 'paused'),
  'resuming': machine({ at: 'resuming' }, 'running'),
  'stopping': machine({ at: 'stopping', from: 'running' }, 'initialized'),
  'unloading': machine({ at: 'unloading', from: 'paused', error: undefined }, 'unloaded'),
  'unloading!': machine({ at: 'unloading', from: 'paused', error: KEPT }, 'unloaded'),
  'restarting/stopping': restarting('stopping', 'running'),
  'restarting/halting': restarting('halting', 'running'),
  'restarting/waiting': restarting('waiting', 'running'),
  'restarting/loading': restarting('loading', 'running'),
  'restarting/initializing': restarting('initializing', 'running'),
  'restarting/starting': restarting('starting', 'running'),
  'restarting/starting to paused': restarting('starting', 'paused'),
  'restarting/pausing': restarting('pausing', 'paused'),
  'restarting/pausing to running': restarting('pausing', 'running'),
  'restarting/resuming': restarting('resuming', 'running'),
  'restarting/resuming to paused': restarting('resuming', 'paused'),
  'failed': machine({ at: 'failed', error: KEPT }, 'running'),
};

function machine(phase: Phase, intent: Intent): Machine {
  return { phase, intent, history: NO_RESTARTS };
}

function restarting(step: RestartStep, intent: Intent): Machine {
  return machine({ at: 'restarting', step }, intent);
}

/** A step as text: where to, what is wanted from now on if that changed, and the effects. */
export function inWords(before: Machine, { machine: after, effects }: Step): string {
  const said = effects.map(effectInWords).join(', ');
  if (after === before && said === '') return 'ignored';
  if (after === before && said === 'settle INVALID_STATE') return 'refused';
  const where = samePhase(before, after) ? 'same' : phaseInWords(after.phase);
  const wanted = before.intent === after.intent ? '' : ` wants ${after.intent}`;
  return `${where}${wanted}${said ? `: ${said}` : ''}`;
}

export function phaseInWords(phase: Phase): string {
  switch (phase.at) {
    case 'restarting':
      return `restarting/${phase.step}`;
    case 'unloading':
      return phase.error ? `unloading!(${errorInWords(phase.error)})` : 'unloading';
    case 'failed':
      return `failed(${errorInWords(phase.error)})`;
    default:
      return phase.at;
  }
}

function samePhase(before: Machine, after: Machine): boolean {
  return phaseInWords(before.phase) === phaseInWords(after.phase);
}

function effectInWords(effect: Effect): string {
  switch (effect.do) {
    case 'hook':
      return effect.hook;
    case 'shutdown':
      return `shutdown ${effect.hooks.join('+')}`;
    case 'end':
      return effect.awaited ? 'end awaited' : 'end';
    case 'retry-in':
      return `retry in ${String(effect.delayMs)}`;
    case 'drop-waiting':
      return `drop ${errorInWords(effect.error)}`;
    case 'settle':
      return effect.error ? `settle ${errorInWords(effect.error)}` : 'settle';
    case 'tell':
      return effect.event;
    case 'report-end':
      return `report ${effect.report.end}${effect.report.permanent ? ' for good' : ''}`;
    default:
      return effect.do;
  }
}

function errorInWords(error: PluginError): string {
  if (error === FAULT || error === overdue) return 'fault';
  return error === KEPT ? 'kept' : error.code;
}
