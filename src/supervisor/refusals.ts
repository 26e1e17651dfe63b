/** Why a call is not accepted. */
import { PluginError } from '../protocol/errors.ts';
import type { MailboxOptions } from '../protocol/limits.ts';
import type { PluginState } from '../protocol/report.ts';
import type { MailboxBound } from './mailbox.ts';

export function notRunning(pluginId: string, state: PluginState, stopping: boolean): PluginError {
  const remedy = state === 'failed' ? 'restart' : 'start';
  return new PluginError(
    'NOT_RUNNING',
    `${pluginId} is ${stopping ? 'stopping' : state}; ${remedy} it before calling it`,
    { pluginId, data: { state } },
  );
}

export function abortedBefore(pluginId: string, { reason }: AbortSignal): PluginError {
  const cause: unknown = reason;
  return new PluginError('CALL_ABORTED', `the call to ${pluginId} was aborted before it was made`, {
    pluginId,
    data: { phase: 'queued' },
    cause,
  });
}

export function mailboxFull(
  pluginId: string,
  mailbox: MailboxOptions,
  bound: MailboxBound,
): PluginError {
  const max = mailbox[bound];
  const [what, remedy] =
    bound === 'capacity'
      ? ['calls', "raise mailbox.capacity, or set mailbox.overflow to 'wait'"]
      : ['bytes', 'send smaller inputs, or raise mailbox.bytesMax'];
  return new PluginError(
    'MAILBOX_FULL',
    `the mailbox of ${pluginId} is full (${bound}: ${String(max)} ${what}); call less, ${remedy}`,
    { pluginId, data: { [bound]: max } },
  );
}

/** What went wrong before anything of the plugin could. */
export function loadFailure(pluginId: string, cause: unknown): PluginError {
  if (cause instanceof PluginError) return cause;
  return new PluginError('LOAD_FAILED', `${pluginId}: ${String(cause)}`, { pluginId, cause });
}
