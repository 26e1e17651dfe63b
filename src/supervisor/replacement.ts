/**
 * Brings a new version of a plugin up beside the old one, as far as the plugin is wanted, with
 * the old one's state where both can do that. Whatever goes wrong here is the new one's alone.
 */
import { PluginError } from '../protocol/errors.ts';
import type { EncodedValue } from '../protocol/messages.ts';
import type { PluginState } from '../protocol/report.ts';
import type { ReloadEvent } from './chronicle.ts';
import type { Actor, Version } from './keeper.ts';
import type { Intent, Verb } from './machine.ts';

export interface Replacement {
  old: Version;
  next: Version;
  /** Where it is to come. */
  intent: Intent;
  /** The outcome, unless the reload is over by then. */
  step: <T>(work: Promise<T>) => Promise<T>;
  tell: (event: ReloadEvent) => void;
}

/** @returns whether the new version begins with the state of the old one. */
export async function bringUp({ old, next, intent, step, tell }: Replacement): Promise<boolean> {
  const verbs = verbsTo(intent);
  const perform = async (verb: Verb): Promise<void> => {
    if (verbs.includes(verb)) await step(next.perform(verb));
  };
  await perform('load');
  await perform('init');
  const isPreserved = verbs.includes('init') && (await passState({ old, next, step, tell }));
  await perform('start');
  if (verbs.includes('start')) await step(requireHealth(next));
  await perform('pause');
  return isPreserved;
}

/** A version begins calls again, where it was held. */
export function letGo({ actors }: Pick<Version, 'actors'>): void {
  for (const { handover } of actors) handover.release();
}

/** Where a version is wanted: as far as the most of its actors are. */
export function intentOf({ actors }: Pick<Version, 'actors'>): Intent {
  return actors.map(({ intent }) => intent).find((intent) => intent !== 'unloaded') ?? 'unloaded';
}

/** The verbs that bring a new version from nothing to where it is wanted. */
export function verbsTo(intent: Intent): readonly Verb[] {
  return VERBS_TO[intent];
}

const VERBS_TO: Record<Intent, readonly Verb[]> = {
  unloaded: [],
  loaded: ['load'],
  initialized: ['load', 'init'],
  running: ['load', 'init', 'start'],
  paused: ['load', 'init', 'start', 'pause'],
};

/** In which a life has state of its own. */
const STATEFUL: ReadonlySet<PluginState> = new Set(['initialized', 'running', 'paused']);

async function passState({ old, next, step, tell }: Omit<Replacement, 'intent'>): Promise<boolean> {
  const givers = old.actors;
  const takers = next.actors;
  if (!next.plan.reload.preserveState || !givers.some(canGive)) return false;
  if (!takers.every(({ handover }) => handover.canTake)) return false;
  // the old one is between two calls until all is over
  for (const { handover } of givers) handover.hold();
  const saved = await step(
    Promise.all(
      givers.map((actor) => (canGive(actor) ? actor.handover.snapshot() : Promise.resolve())),
    ),
  );
  tell({ type: 'state-preserved', bytes: bytesOf(saved) });
  const taken = saved.slice(0, takers.length);
  const used = await step(
    Promise.all(
      takers.map(async ({ handover }, replica) => {
        const state = taken[replica];
        return state === undefined || (await handover.restore(state));
      }),
    ),
  );
  if (!used.every(Boolean)) return false;
  tell({ type: 'state-restored', bytes: bytesOf(taken) });
  return taken.length === saved.length && taken.every((state) => state !== undefined);
}

function canGive({ handover, state }: Actor): boolean {
  return STATEFUL.has(state) && handover.canGive;
}

function bytesOf(saved: readonly (EncodedValue | void)[]): number {
  return saved.reduce((sum, state) => sum + (state?.frame.byteLength ?? 0), 0);
}

async function requireHealth(next: Version): Promise<void> {
  const { healthy, reason, detail } = await next.health();
  if (healthy) return;
  const why = reason ?? 'its health hook says that it is not well';
  throw new PluginError('START_FAILED', `the new version of ${next.id} is not healthy: ${why}`, {
    pluginId: next.id,
    data: { step: 'health', ...(detail === undefined ? {} : { detail }) },
  });
}
