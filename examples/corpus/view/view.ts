/** What the runs tell while they run. One interface; choose-view.ts picks who listens. */
import type { Outcome } from '../outcome.ts';
import type { PluginRow } from '../runs/plugin-rows.ts';

export interface Progress {
  readonly run: string;
  readonly done: number;
  readonly of: number;
  readonly elapsedMs: number;
  /** Empty in the run without actors. */
  readonly plugins: readonly PluginRow[];
}

export interface View {
  /** A line that stays. */
  say(line: string): void;
  /** Called about 8 times a second; a view shows as much of it as suits. */
  progress(progress: Progress): void;
  /** The last state of a run, which stays. */
  settle(progress: Progress): void;
  report(outcome: Outcome): void;
}
