/**
 * What keeps the actors of one plugin alive, as the kernel sees it: a supervisor of one actor,
 * or a replica set of several. Whoever registers, moves, calls or asks a plugin sees no
 * difference.
 */
import type { PluginPlan } from '../protocol/manifest.ts';
import type { DeadLetter, HealthReport, PluginState, PluginStats } from '../protocol/report.ts';
import type { Call, CallRequest } from './call.ts';
import type { Diagnosis } from './diagnosis.ts';
import type { Verb } from './machine.ts';

export interface Keeper {
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
