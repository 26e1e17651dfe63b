/** How long a call of a tool may take: it outlasts what the tool itself says it may take. */
import { TIME_MS_MAX } from '../input.ts';

/** Of a tool that says nothing (ms). */
const TOOL_TIMEOUT_MS = 60_000;
/** Beyond what a run may take, for the calls that wait before it (ms). */
const ROOM_MS = 30_000;

/** As plugins list them, where they do (ms). */
export interface ToolTimes {
  /** Longest run. */
  timeoutMs?: number;
  /** How long it waits for a yes before it runs. */
  confirmTimeoutMs?: number;
}

/** What of these a plugin lists that is a time. */
export function timesOf(listed: Readonly<Record<string, unknown>>): ToolTimes {
  const { timeoutMs, confirmTimeoutMs } = listed;
  return {
    ...(isTime(timeoutMs) ? { timeoutMs } : {}),
    ...(isTime(confirmTimeoutMs) ? { confirmTimeoutMs } : {}),
  };
}

/**
 * The time of a person who is asked is none of the tool's: it comes on top, so that a run that is
 * allowed at the last moment has all of its own, and a refusal is told as one.
 *
 * @param wished for a run, whatever the tool says
 */
export function callTimeoutMs(times: ToolTimes, wished: number | undefined): number {
  const { timeoutMs = 0, confirmTimeoutMs = 0 } = times;
  const runMs = wished ?? Math.max(TOOL_TIMEOUT_MS, timeoutMs + ROOM_MS);
  return Math.min(runMs + confirmTimeoutMs, TIME_MS_MAX);
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value <= TIME_MS_MAX;
}
