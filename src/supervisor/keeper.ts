/**
 * What keeps the actors of one plugin alive, as the kernel sees it. Whoever registers, moves,
 * calls or asks a plugin sees no difference between one actor and several, nor between the
 * versions that follow each other.
 */
import type { PluginPlan } from '../protocol/manifest.ts';
import type {
  DeadLetter,
  HealthReport,
  PluginState,
  PluginStats,
  ReloadResult,
} from '../protocol/report.ts';
import type { Call, CallRequest } from './call.ts';
import type { Diagnosis } from './diagnosis.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Handover } from './handover.ts';
import type { GroupOrder, Intent, Phase, Verb } from './machine.ts';
import type { Overseer } from './surroundings.ts';

/** A plugin, whichever version of it runs. */
export interface Keeper extends Omit<Version, 'actors' | 'adopt' | 'inherit'> {
  /** Puts a new version in the place of the present one. Rejects only where that cannot be tried. */
  reload(): Promise<ReloadResult>;
  /** Where it was to come, had the last verb not failed: a new version that can is brought there. */
  aim(intent: Intent): void;
}

/** One version of a plugin: a supervisor of one actor, or a replica set of several. */
export interface Version {
  /** Those that serve now, in the order of their numbers. */
  readonly actors: readonly Actor[];
  /** Takes over a call that another version gave away. */
  adopt(call: Call): void;
  /** What is remembered of the version before is remembered of this one. */
  inherit(before: Pick<Version, 'actors'>): void;

  readonly id: string;
  readonly plan: PluginPlan;
  readonly state: PluginState;
  /** The number of the last life; 0 before the first. */
  readonly generation: number;
  /** Settles when the plugin is there. Verbs queue up; callers of the same one share its outcome. */
  perform(verb: Verb): Promise<void>;
  /** Accepts a call or rejects it; either way its receiver hears of it exactly once. */
  accept(request: CallRequest): Call | undefined;
  health(): Promise<HealthReport>;
  stats(): Promise<PluginStats>;
  /** The last ones, oldest first. */
  deadLetters(): DeadLetter[];
  /** Looks closely at one of its actors; `undefined`: there is none of that number. */
  diagnosisOf(replica: number): Diagnosis | undefined;
  /** Forgets its timers; it is unloaded and will not come back. */
  close(): void;
}

/** One actor's supervisor, as a reload and a group see it. */
export interface Actor {
  readonly phase: Phase;
  readonly intent: Intent;
  readonly state: PluginState;
  readonly generation: number;
  /** A call stands still at a checkpoint. */
  readonly isParked: boolean;
  readonly handover: Handover;
  readonly dispatcher: Dispatcher;
  overseer: Overseer | undefined;
  order(order: GroupOrder): void;
}
