/** One POST of an alert, as JSON. */
import { Refused, type WebhookTarget } from './notifier.ts';
import type { Alert } from './types.ts';

const TOO_MANY_REQUESTS = 429;
const REQUEST_TIMEOUT = 408;

/** @throws Refused where the answer says that trying again is no use; else whatever went wrong. */
export async function post(
  { url, headers }: WebhookTarget,
  alert: Alert,
  signal: AbortSignal,
): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(alert),
    redirect: 'manual',
    signal,
  }).catch((error: unknown) => {
    throw new Error(reasonOf(error, signal));
  });
  // nobody reads the answer; unread, it would hold its connection
  await response.body?.cancel();
  const { status } = response;
  if (response.ok) return;
  const isPassing = status >= 500 || status === TOO_MANY_REQUESTS || status === REQUEST_TIMEOUT;
  const what = `it answered ${String(status)}`;
  throw isPassing ? new Error(what) : new Refused(what);
}

/** Node says only `fetch failed`; what did is in the cause. */
function reasonOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'it did not answer in time';
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : '';
  return typeof code === 'string' && code !== '' ? code : 'it cannot be reached';
}
