/**
 * What a group does when one of its children ended: which siblings it stops, which it starts
 * again, or that it gives up. Pure, with OTP's meaning: the budget is the group's, and one round
 * of restarts counts once, however many children it moves. The delay is the child's own backoff.
 */
import type { RestartOptions } from '../protocol/limits.ts';
import { decideRestart, type End, type PolicyEnv, type RestartHistory } from './restart-policy.ts';

export const STRATEGIES = ['one-for-one', 'one-for-all', 'rest-for-one'] as const;
export type Strategy = (typeof STRATEGIES)[number];

export interface GroupBudget {
  strategy: Strategy;
  /** Restarts within `periodMs`; one more, and the group gives up. */
  intensity: number;
  periodMs: number;
}

/** `up`: running, or on its way back. `finished`: it ended and stays down. `stopped`: by hand. */
export type ChildStatus = 'up' | 'finished' | 'stopped';

export interface GroupChild {
  readonly id: string;
  readonly restart: RestartOptions;
  readonly status: ChildStatus;
}

/** Which child, how, and whether trying again could help. */
export interface ChildEnd {
  id: string;
  end: End;
  permanent: boolean;
}

export type GroupDecision =
  | { do: 'nothing' }
  /** `stop` in the order of stopping, `start` in the order of starting. */
  | {
      do: 'restart';
      stop: string[];
      start: string[];
      delayMs: number;
      history: RestartHistory;
    }
  | { do: 'give-up'; why: 'too-often' | 'permanent-error'; stop: string[] };

/** @param children in start order. */
export function decideGroup(
  { strategy, intensity, periodMs }: GroupBudget,
  children: readonly GroupChild[],
  history: RestartHistory,
  { id, end, permanent }: ChildEnd,
  env: PolicyEnv,
): GroupDecision {
  const at = children.findIndex((child) => child.id === id);
  const ended = children[at];
  if (!ended) return { do: 'nothing' };
  const decision = decideRestart({ ...ended.restart, intensity, periodMs }, history, end, env);
  if (!decision.restart && decision.why === 'not-wanted') return { do: 'nothing' };
  const others = (scope: readonly GroupChild[]): string[] =>
    idsOf(scope.filter((child) => child !== ended && child.status === 'up')).toReversed();
  if (permanent) return { do: 'give-up', why: 'permanent-error', stop: others(children) };
  if (!decision.restart) return { do: 'give-up', why: 'too-often', stop: others(children) };
  const scope = scopeOf(strategy, children, at);
  const { delayMs } = decision;
  const start = idsOf(scope.filter((child) => child === ended || comesBack(child)));
  return { do: 'restart', stop: others(scope), start, delayMs, history: decision.history };
}

function scopeOf(
  strategy: Strategy,
  children: readonly GroupChild[],
  at: number,
): readonly GroupChild[] {
  switch (strategy) {
    case 'one-for-one':
      return children.slice(at, at + 1);
    case 'rest-for-one':
      return children.slice(at);
    case 'one-for-all':
      return children;
  }
}

/** A temporary child never does; one that was stopped by hand stays as it was left. */
function comesBack({ restart, status }: GroupChild): boolean {
  return restart.type !== 'temporary' && status !== 'stopped';
}

function idsOf(children: readonly GroupChild[]): string[] {
  return children.map(({ id }) => id);
}
