/** What tool plugins answer, read; and what a model is told where they do not. */
import type { JsonSchema } from 'troupe/plugin';

import { isRecord } from '../input.ts';

export interface ListedTool {
  name: string;
  description: string;
  inputSchema: JsonSchema;
}

/** What a plugin has to answer to `{ op: 'list' }`. */
export function isToolList(value: unknown): value is ListedTool[] {
  return (
    Array.isArray(value) &&
    value.every(
      (one: unknown) =>
        isRecord(one) &&
        typeof one['name'] === 'string' &&
        typeof one['description'] === 'string' &&
        isRecord(one['inputSchema']),
    )
  );
}

/**
 * The result in an answer to `{ op: 'call' }`.
 *
 * @throws Error with what the tool says is wrong
 */
export function outcomeOf(reply: unknown): unknown {
  if (isRecord(reply)) {
    if (reply['ok'] === true) return reply['result'];
    const { error } = reply;
    if (reply['ok'] === false && isRecord(error)) {
      throw new Error(`${String(error['code'])}: ${String(error['message'])}`);
    }
  }
  throw new Error('the tool gave an answer that is none');
}

/** What went wrong with a tool, for a model to read: it may try again, or something else. */
export function troubleOf(error: unknown, timeoutMs?: number): string {
  if (!(error instanceof Error)) return String(error);
  switch ('code' in error ? error.code : undefined) {
    case 'PLUGIN_CRASHED':
      return 'the tool crashed while it ran; it may or may not have done its work';
    case 'CALL_TIMEOUT':
      return `the tool did not answer${timeoutMs === undefined ? '' : ` within ${String(timeoutMs)} ms`}`;
    case 'NOT_FOUND':
    case 'NOT_RUNNING':
    case 'PLUGIN_STOPPED':
      return 'the tool is not there now';
    case 'MAILBOX_FULL':
      return 'the tool has too much to do now';
    case 'CALL_FAILED':
      return error.cause instanceof Error ? error.cause.message : error.message;
    default:
      return error.message;
  }
}
