/** Entries in a Redis server, which several plugins, programs and machines may share. */
import type {
  StorageBackend,
  StorageChange,
  StorageOutcome,
  StoragePage,
  StorageRange,
  StorageScan,
  StorageUsage,
} from './backend.ts';
import { REQUEST_TIMEOUT_MS, SWEEP_ENTRIES } from './limits.ts';
import { alive } from './plan-change.ts';
import { fromRecord, record } from './record.ts';
import { connectRedis, type RedisConnection } from './redis-connection.ts';
import { CLEAR, COMMIT, COUNT, SCAN, SWEEP, type RedisScript } from './redis-scripts.ts';
import { StorageError } from './storage-error.ts';

export interface RedisOptions {
  url: string;
  /** Before every key in the server. */
  keyPrefix: string;
  bytesMax: number;
  /** What health and stats have for their answers. */
  vitalMs: number;
  log: { warn(message: string): void };
}

type Argument = string | Buffer;

export async function openRedis({
  url,
  keyPrefix,
  bytesMax,
  vitalMs,
  log,
}: RedisOptions): Promise<StorageBackend> {
  const connection = await connectRedis({ url, timeoutMs: REQUEST_TIMEOUT_MS, vitalMs, log });
  return new RedisBackend(connection, keyPrefix, bytesMax);
}

class RedisBackend implements StorageBackend {
  readonly #connection: RedisConnection;
  /** In braces, so that a cluster keeps all of it in one place. */
  readonly #prefix: string;
  readonly #bytesMax: string;

  constructor(connection: RedisConnection, keyPrefix: string, bytesMax: number) {
    this.#connection = connection;
    this.#prefix = `{${keyPrefix}}`;
    // Lua has no text for infinity
    this.#bytesMax = String(Math.min(bytesMax, Number.MAX_VALUE));
  }

  async get(namespace: string, key: string, now: number): Promise<Uint8Array | undefined> {
    const found = await this.#connection.send(['HGET', `${this.#prefix}:v:${namespace}`, key]);
    return found instanceof Buffer ? alive(fromRecord(found), now)?.bytes : undefined;
  }

  async commit({ checks, writes }: StorageChange, now: number): Promise<StorageOutcome> {
    const args: Argument[] = [String(now), this.#bytesMax, String(checks.length)];
    for (const { namespace, key, bytes } of checks) {
      args.push(namespace, key, bytes ? '1' : '0', asBuffer(bytes));
    }
    for (const { namespace, key, entry } of writes) {
      const when = entry ? String(entry.expiresAt ?? 0) : '-1';
      args.push(namespace, key, when, entry ? record(entry) : '');
    }
    const [verdict, detail, current] = listOf(await this.#run(COMMIT, args));
    switch (textOf(verdict)) {
      case 'ok':
        return { committed: true, existed: Array.from(textOf(detail), (bit) => bit === '1') };
      case 'check':
        return {
          committed: false,
          why: 'check',
          failed: Number(detail),
          current: current instanceof Buffer ? current : undefined,
        };
      default:
        return { committed: false, why: 'full', bytes: Number(textOf(detail)) };
    }
  }

  async scan(namespace: string, scan: StorageScan, now: number): Promise<StoragePage> {
    const { reverse, entriesMax, bytesMax, keysOnly } = scan;
    const [last, ...found] = listOf(
      await this.#run(SCAN, [
        namespace,
        ...lexBounds(scan),
        reverse ? '1' : '0',
        String(entriesMax),
        String(bytesMax),
        keysOnly ? '1' : '0',
        String(now),
      ]),
    );
    const step = keysOnly ? 1 : 2;
    const entries: { key: string; bytes: Uint8Array | undefined }[] = [];
    for (let at = 0; at < found.length; at += step) {
      const value = keysOnly ? undefined : found[at + 1];
      entries.push({
        key: textOf(found[at]),
        bytes: value instanceof Buffer ? value : undefined,
      });
    }
    return { entries, last: last === null ? undefined : textOf(last) };
  }

  async count(namespace: string, range: StorageRange, now: number): Promise<number> {
    const args = [namespace, ...lexBounds(range), String(SWEEP_ENTRIES), String(now)];
    for (;;) {
      const count = Number(await this.#run(COUNT, args));
      if (count >= 0) return count;
    }
  }

  async clear(namespace: string, now: number): Promise<number> {
    return Number(await this.#run(CLEAR, [namespace, String(now)]));
  }

  async sweep(entriesMax: number, now: number): Promise<number> {
    return Number(await this.#run(SWEEP, [String(entriesMax), String(now)]));
  }

  async usage(): Promise<StorageUsage> {
    const fields = ['entries', 'bytes'];
    const found = await this.#connection.sendVital(['HMGET', `${this.#prefix}:u`, ...fields]);
    const [entries = 0, bytes = 0] = listOf(found).map((value) => Number(textOf(value)));
    return { entries, bytes };
  }

  async ping(): Promise<void> {
    await this.#connection.sendVital(['PING']);
  }

  close(): void {
    this.#connection.close();
  }

  /** A server that does not know the script yet is told it. */
  async #run({ sha, source }: RedisScript, args: readonly Argument[]): Promise<unknown> {
    const rest = ['1', this.#prefix, ...args];
    try {
      return await this.#connection.send(['EVALSHA', sha, ...rest]);
    } catch (error) {
      if (!(error instanceof StorageError) || !isUnknownScript(error)) throw error;
      return this.#connection.send(['EVAL', source, ...rest]);
    }
  }
}

function isUnknownScript({ cause }: StorageError): boolean {
  return cause instanceof Error && cause.message.startsWith('NOSCRIPT');
}

/** As Redis writes them: `[` includes, `(` does not, `-` and `+` are the ends. */
function lexBounds({ from, to }: StorageRange): [string, string] {
  return [from === '' ? '-' : `[${from}`, to === undefined ? '+' : `(${to}`];
}

function asBuffer(bytes: Uint8Array | undefined): Buffer {
  return Buffer.from(bytes ?? []);
}

function listOf(reply: unknown): unknown[] {
  return Array.isArray(reply) ? (reply as unknown[]) : [];
}

function textOf(reply: unknown): string {
  if (reply instanceof Buffer) return reply.toString();
  return typeof reply === 'number' || typeof reply === 'string' ? String(reply) : '';
}
