/** A connection that comes back by itself, answers within a time, and says clearly when it cannot. */
import { messageOf } from '../coded-error.ts';
import { StorageError } from './storage-error.ts';

export interface RedisConnection {
  /** Strings come as buffers. */
  send(command: readonly (string | Buffer)[]): Promise<unknown>;
  close(): void;
}

export interface RedisConnectionOptions {
  url: string;
  /** For the first connection, and for each answer (ms). */
  timeoutMs: number;
  log: { warn(message: string): void };
}

const RETRY_MS_MAX = 2_000;

export async function connectRedis({
  url,
  timeoutMs,
  log,
}: RedisConnectionOptions): Promise<RedisConnection> {
  const { createClient, RESP_TYPES } = await import('@redis/client');
  const where = serverOf(url);
  let isUp = false;
  let lastError: unknown;
  const client = createClient({
    url,
    // what is asked while it is down fails at once: its caller knows better what to do then
    disableOfflineQueue: true,
    socket: {
      connectTimeout: timeoutMs,
      reconnectStrategy: (retries) => Math.min(50 * 2 ** retries, RETRY_MS_MAX),
    },
  }).withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  client.on('error', (error: unknown) => {
    lastError = error;
    if (isUp) log.warn(`the connection to Redis at ${where} is lost: ${messageOf(error)}`);
    isUp = false;
  });
  client.on('ready', () => {
    isUp = true;
  });
  const unavailable = (why: string, cause: unknown): StorageError =>
    new StorageError('STORAGE_UNAVAILABLE', `Redis at ${where} ${why}`, { cause });
  try {
    await within(client.connect(), timeoutMs);
  } catch (error) {
    client.destroy();
    const reason = messageOf(error instanceof TimeoutError ? (lastError ?? error) : error);
    throw unavailable(`cannot be reached: ${reason}. Check url, and that the server runs`, error);
  }
  return {
    async send(command) {
      try {
        return await within(client.sendCommand([...command]), timeoutMs);
      } catch (error) {
        throw toStorageError(error, client.isReady, unavailable);
      }
    },
    close() {
      client.destroy();
    },
  };
}

class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

/** Codes that the server begins its refusals with. */
const OUT_OF_MEMORY = /^(OOM|MISCONF)\b/;
const NOT_NOW = /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|BUSY|TRYAGAIN)\b/;
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

async function within<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new TimeoutError(`no answer within ${String(timeoutMs)} ms`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
