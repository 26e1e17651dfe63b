/** What several replicas make together: their one state, and what a verb is for each of them. Pure. */
import type { PluginState } from '../protocol/report.ts';
import type { Verb } from './machine.ts';

/**
 * A set is in the first of these states that one of its replicas is in: it runs where one runs,
 * and has failed only where all have.
 */
const PRECEDENCE: readonly PluginState[] = [
  'running',
  'paused',
  'restarting',
  'loading',
  'loaded',
  'initialized',
  'failed',
  'unloaded',
];

export function jointState(states: readonly PluginState[]): PluginState {
  return PRECEDENCE.find((state) => states.includes(state)) ?? 'unloaded';
}

/**
 * What the set reads while it is on its way up, so that it takes calls when all of it can, and
 * not when the first of it can: else keys would go astray. `undefined`: what its replicas say.
 */
export function heldState(verb: Verb, state: PluginState): PluginState | undefined {
  if (verb === 'load' && state === 'unloaded') return 'loading';
  if (verb === 'init' && state === 'loaded') return 'loaded';
  if (verb === 'start' && state === 'initialized') return 'initialized';
  return undefined;
}

/**
 * The verbs by which one replica gets where a verb leads its set. One without a life, beside
 * others that have theirs, catches up.
 */
export function stepsOf(verb: Verb, replica: PluginState, set: PluginState): readonly Verb[] {
  if (replica !== 'unloaded' || set === 'unloaded') return [verb];
  return CATCHING_UP[verb]?.[set] ?? [];
}

/** From nothing to running. */
export const TO_RUNNING: readonly Verb[] = ['load', 'init', 'start'];

const CATCHING_UP: Partial<Record<Verb, Partial<Record<PluginState, readonly Verb[]>>>> = {
  init: { loaded: ['load', 'init'] },
  start: { initialized: TO_RUNNING, running: TO_RUNNING, restarting: TO_RUNNING },
  restart: { running: TO_RUNNING, restarting: TO_RUNNING, failed: TO_RUNNING },
};
