/** A connection that comes back by itself, answers within a time, and says clearly when it cannot. */
import { setImmediate as nextTurn } from 'node:timers/promises';

import { messageOf } from '../coded-error.ts';
import { StorageError } from './storage-error.ts';
import { TimeoutError, within } from './within.ts';

type RedisCommand = readonly (string | Buffer)[];

export interface RedisConnection {
  /** Strings come as buffers. */
  send(command: RedisCommand): Promise<unknown>;
  /** The same for a question that soon needs an answer: the time that all others have waited counts. */
  sendVital(command: RedisCommand): Promise<unknown>;
  close(): void;
}

export interface RedisConnectionOptions {
  url: string;
  /** For the first connection, and for each answer (ms). */
  timeoutMs: number;
  /** For the answer to a vital question (ms). */
  vitalMs: number;
  log: { warn(message: string): void };
}

const RETRY_MS_MAX = 2_000;

export async function connectRedis({
  url,
  timeoutMs,
  vitalMs,
  log,
}: RedisConnectionOptions): Promise<RedisConnection> {
  const { createClient, RESP_TYPES } = await import('@redis/client');
  const where = serverOf(url);
  let isUp = false;
  let wasUp = false;
  let lastError: unknown;
  let unanswered = 0;
  let silentFrom = 0;
  const client = createClient({
    url,
    // what is asked while it is down fails at once: its caller knows better what to do then
    disableOfflineQueue: true,
    socket: {
      connectTimeout: timeoutMs,
      // who is not let in at first has the wrong url; later, the server may be about to change
      reconnectStrategy: (retries, cause) =>
        !wasUp && DENIED.test(messageOf(cause)) ? false : Math.min(50 * 2 ** retries, RETRY_MS_MAX),
    },
  }).withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  client.on('error', (error: unknown) => {
    lastError = error;
    if (isUp) log.warn(`the connection to Redis at ${where} is lost: ${messageOf(error)}`);
    isUp = false;
  });
  client.on('ready', () => {
    isUp = true;
    wasUp = true;
  });
  const unavailable = (why: string, cause: unknown): StorageError =>
    new StorageError('STORAGE_UNAVAILABLE', `Redis at ${where} ${why}`, { cause });
  try {
    await within(client.connect(), timeoutMs);
  } catch (error) {
    client.destroy();
    const reason = messageOf(error instanceof TimeoutError ? (lastError ?? error) : error);
    throw DENIED.test(reason)
      ? unavailable(`lets nobody in: ${reason} Check the name and the password in url`, error)
      : unavailable(`cannot be reached: ${reason}. Check url, and that the server runs`, error);
  }
  /** Answers come in the order of their questions: while one is awaited, each that comes is a sign of life. */
  const ask = async (command: RedisCommand): Promise<unknown> => {
    if (unanswered++ === 0) silentFrom = performance.now();
    try {
      return await client.sendCommand([...command]);
    } finally {
      unanswered--;
      silentFrom = performance.now();
    }
  };
  const silentMs = (): number =>
    unanswered === 0 ? 0 : Math.round(performance.now() - silentFrom);
  return {
    async send(command) {
      try {
        return await within(ask(command), timeoutMs);
      } catch (error) {
        throw toStorageError(error, client.isReady, unavailable);
      }
    },
    async sendVital(command) {
      // where this thread stood still, the answer may have come and not been read
      if (silentMs() >= vitalMs) await nextTurn();
      const leftMs = vitalMs - silentMs();
      try {
        if (leftMs > 0) return await within(ask(command), leftMs);
      } catch (error) {
        if (!(error instanceof TimeoutError)) {
          throw toStorageError(error, client.isReady, unavailable);
        }
      }
      throw unavailable(`has not answered for ${String(silentMs())} ms`, undefined);
    },
    close() {
      client.destroy();
    },
  };
}

/** Codes that the server begins its refusals with. */
const OUT_OF_MEMORY = /^(OOM|MISCONF)\b/;
const NOT_NOW = /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|BUSY|TRYAGAIN)\b/;
const DENIED = /^(NOAUTH|WRONGPASS|NOPERM)\b/;
const REFUSAL = /^[A-Z]+ /;

function toStorageError(
  error: unknown,
  isReady: boolean,
  unavailable: (why: string, cause: unknown) => StorageError,
): StorageError {
  const message = messageOf(error);
  if (OUT_OF_MEMORY.test(message)) {
    return new StorageError('STORAGE_FULL', `Redis takes no more: ${message}`, { cause: error });
  }
  if (error instanceof TimeoutError) {
    return unavailable('does not answer: a change may have been made, or may still be', error);
  }
  if (NOT_NOW.test(message) || !isReady || !REFUSAL.test(message)) {
    return unavailable(
      `is not there: ${message}. A change that was under way may have been made`,
      error,
    );
  }
  return new StorageError('STORAGE_FAILED', `Redis refused: ${message}`, { cause: error });
}

/** Host and port, without a name or a password. */
function serverOf(url: string): string {
  const { host, hostname } = new URL(url);
  return host || hostname || 'localhost';
}
