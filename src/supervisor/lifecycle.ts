/**
 * The words of a plugin's lifecycle: phases, events and effects. What is wanted (`intent`) is
 * kept beside what is (`phase`). machine.ts says how one follows from another.
 */
import type { PluginError } from '../protocol/errors.ts';
import type { RestartOptions } from '../protocol/limits.ts';
import type { PluginState } from '../protocol/report.ts';
import { NO_RESTARTS, type End, type RestartHistory } from './restart-policy.ts';

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
  /** Stopped because of a sibling; then it waits for its group. */
  | 'halting'
  | 'waiting'
  | 'loading'
  | 'initializing'
  | 'starting'
  | 'pausing'
  /** It was to be paused, and is not any more. */
  | 'resuming';

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
  /** `from`: what users see until it is done. */
  | { at: 'stopping'; from: PluginState }
  | { at: 'unloading'; from: PluginState; error: PluginError | undefined }
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
  /** A thread of many is gone; the others serve on. */
  | { type: 'thread-died'; end: End; error: PluginError }
  /** The backoff is over. */
  | { type: 'retry' }
  | GroupOrder;

/** What a group says to its children; see orders.ts. */
export type GroupOrder =
  /** A sibling ended: stop, and wait for the group. */
  | { type: 'halt' }
  /** Come (back) up. */
  | { type: 'revive' }
  /** The group gave up. */
  | { type: 'give-up'; error: PluginError };

export type Effect =
  /** Create a thread, import the plugin, run `load`; answers done, hook-failed or died. */
  | { do: 'spawn' }
  | { do: 'hook'; hook: 'init' | 'start' | 'pause' | 'resume' }
  /** Let begun calls end and run these hooks, within the stop deadline. */
  | { do: 'shutdown'; hooks: ('stop' | 'unload')[] }
  /** End the thread now; `awaited`: its `died` is the next event, else it is nobody's any more. */
  | { do: 'end'; awaited: boolean }
  | { do: 'retry-in'; delayMs: number }
  | { do: 'cancel-retry' }
  /** A life of a managed plugin ended: its group decides. Always the last effect. */
  | { do: 'report-end'; report: EndReport }
  /** Reject the calls that wait. */
  | { do: 'drop-waiting'; error: PluginError }
  /** The verb under way, if there is one, has its outcome. */
  | { do: 'settle'; error?: PluginError }
  | { do: 'tell'; event: 'restarting' | 'restarted' | 'gave-up'; data?: Record<string, unknown> };

/** How the life of a group's child ended. */
export interface EndReport {
  end: End;
  error: PluginError;
  /** Trying again cannot help. */
  permanent: boolean;
}

export interface MachineEnv {
  pluginId: string;
  /** A group decides about its restarts, not its own budget. */
  managed: boolean;
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
      return 'running';
    case 'resuming':
      return 'paused';
    case 'stopping':
    case 'unloading':
      return phase.from;
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

/** No hook runs, and nothing is on its way. */
export function isAtRest({ phase }: Machine): boolean {
  return (
    phase.at === 'loaded' ||
    phase.at === 'initialized' ||
    phase.at === 'running' ||
    phase.at === 'paused'
  );
}
