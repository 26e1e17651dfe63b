/**
 * WASI preview 1 for one instance, by Node's own implementation, with nothing of this process in
 * it: input, output and clock are the plugin's, folders are those it is permitted.
 */
import process from 'node:process';

import type { Blocking } from '../../protocol/blocking.ts';
import { GuestError } from './guest-error.ts';

export const WASI_MODULE = 'wasi_snapshot_preview1';

/** What the guest's standard streams are. */
export interface StandardStreams {
  /** At most so many bytes of its input. */
  read(bytesMax: number): Uint8Array;
  write(stream: 'stdout' | 'stderr', bytes: Uint8Array): void;
}

export interface WasiScope {
  /** Absolute; the guest sees them at the same paths. */
  folders: readonly string[];
  streams: StandardStreams;
  blocking: Blocking;
  memory: () => WebAssembly.Memory | undefined;
}

/** The guest ended itself. */
export class GuestExit extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`it exited with code ${String(code)}`);
    this.code = code;
  }
}

export interface WasiInstance {
  functions: Record<string, unknown>;
  /** Once the instance is there. */
  bind(memory: WebAssembly.Memory): void;
}

type NodeWasi = typeof import('node:wasi').WASI;

/** Node says of it that it is experimental, and would say so in the plugin's log. */
export function loadWasi(): NodeWasi {
  const warnings = Object.getOwnPropertyDescriptor(process, 'emitWarning');
  process.emitWarning = () => undefined;
  try {
    return process.getBuiltinModule('node:wasi').WASI;
  } finally {
    if (warnings) Object.defineProperty(process, 'emitWarning', warnings);
  }
}

export function wasiFor(Wasi: NodeWasi, scope: WasiScope): WasiInstance {
  const wasi = new Wasi({
    version: 'preview1',
    args: [],
    env: { ...process.env },
    preopens: Object.fromEntries(scope.folders.map((folder) => [folder, folder])),
    returnOnExit: true,
  });
  return {
    functions: replaced(scope, closed(wasi.wasiImport as Functions)),
    bind: (memory) => {
      // it wants an instance, and nothing of it but its memory
      wasi.initialize({ exports: { memory } });
    },
  };
}

type Functions = Record<string, (...args: never[]) => unknown>;

const SUCCESS = 0;
const BAD_DESCRIPTOR = 8;
const INVALID = 28;
const STREAMS = ['stdin', 'stdout', 'stderr'] as const;

/** In one list that a guest passes: as many as POSIX allows, for each is an object here. */
const LIST_ITEMS_MAX = 1_024;

/** What may be asked of a standard stream. */
const STREAM_FACTS = new Set(['fd_fdstat_get', 'fd_filestat_get']);

/** The standard streams of this process are not the guest's: it could read, write and close them. */
function closed(native: Functions): Functions {
  const entries = Object.entries(native).map(([name, called]): [string, Functions[string]] => {
    if (!/^(fd|sock|path)_/.test(name) || STREAM_FACTS.has(name)) return [name, called];
    return [
      name,
      (...args: never[]): unknown =>
        args[0] !== undefined && args[0] < STREAMS.length
          ? BAD_DESCRIPTOR
          : Reflect.apply(called, undefined, args),
    ];
  });
  return Object.fromEntries(entries);
}

/** What concerns the standard streams, time, and the end. Pointers arrive as signed numbers. */
function replaced({ streams, blocking, memory }: WasiScope, native: Functions): Functions {
  const pass = (name: string, args: readonly number[]): unknown =>
    Reflect.apply(native[name] ?? unknown, undefined, args);
  const viewOf = (): DataView => {
    const at = memory();
    if (!at) throw new GuestError('it calls WASI and exports no memory');
    return new DataView(at.buffer);
  };
  return {
    ...native,
    fd_read(fd: number, list: number, count: number, result: number): unknown {
      if (fd !== 0) return pass('fd_read', [fd, list, count, result]);
      if (!isListable(count)) return INVALID;
      const view = viewOf();
      let read = 0;
      for (const target of vectors(view, list >>> 0, count)) {
        const bytes = streams.read(target.byteLength);
        target.set(bytes);
        read += bytes.byteLength;
        if (bytes.byteLength < target.byteLength) break;
      }
      view.setUint32(result >>> 0, read, true);
      return SUCCESS;
    },
    fd_write(fd: number, list: number, count: number, result: number): unknown {
      const stream = STREAMS[fd];
      if (stream === undefined) return pass('fd_write', [fd, list, count, result]);
      if (stream === 'stdin') return BAD_DESCRIPTOR;
      if (!isListable(count)) return INVALID;
      blocking.checkpoint();
      const view = viewOf();
      const parts = vectors(view, list >>> 0, count);
      for (const part of parts) streams.write(stream, part);
      const written = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
      view.setUint32(result >>> 0, written, true);
      return SUCCESS;
    },
    fd_renumber: (from: number, to: number): unknown =>
      to < STREAMS.length ? BAD_DESCRIPTOR : pass('fd_renumber', [from, to]),
    poll_oneoff(from: number, to: number, count: number, result: number): unknown {
      // with nothing to wait for it would sleep for ever
      if (count === 0 || !isListable(count)) return INVALID;
      const at = { from: from >>> 0, to: to >>> 0, result: result >>> 0 };
      return poll(viewOf(), { ...at, count }, blocking);
    },
    proc_exit(code: number): never {
      throw new GuestExit(code);
    },
  };
}

/** A count is signed here. */
function isListable(count: number): boolean {
  return count >= 0 && count <= LIST_ITEMS_MAX;
}

function unknown(): never {
  throw new GuestError('it calls what this version of WASI has not');
}

/** Where the guest wants bytes put, or has them. Beyond its memory a RangeError. */
function vectors(view: DataView, list: number, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => {
    const start = view.getUint32(list + 8 * index, true);
    const length = view.getUint32(list + 8 * index + 4, true);
    return new Uint8Array(view.buffer, start, length);
  });
}

const SUBSCRIPTION_BYTES = 48;
const EVENT_BYTES = 32;
const CLOCK = 0;
const REALTIME = 0;
const ABSOLUTE = 1;

/** Files are always ready; with clocks alone the guest sleeps, where a cancel can end it. */
function poll(
  view: DataView,
  { from, to, count, result }: { from: number; to: number; count: number; result: number },
  blocking: Blocking,
): number {
  const subscriptions = Array.from({ length: count }, (_, index) => {
    const at = from + SUBSCRIPTION_BYTES * index;
    const kind = view.getUint8(at + 8);
    return { at, kind, delayMs: kind === CLOCK ? delayMsOf(view, at) : 0 };
  });
  const delayMs = Math.min(...subscriptions.map((one) => one.delayMs));
  blocking.sleep(delayMs);
  const due = subscriptions.filter((one) => one.delayMs <= delayMs);
  for (const [index, { at, kind }] of due.entries()) {
    const event = to + EVENT_BYTES * index;
    new Uint8Array(view.buffer, event, EVENT_BYTES).fill(0);
    view.setBigUint64(event, view.getBigUint64(at, true), true);
    view.setUint8(event + 10, kind);
  }
  view.setUint32(result, due.length, true);
  return SUCCESS;
}

function delayMsOf(view: DataView, at: number): number {
  const ms = Number(view.getBigUint64(at + 24, true)) / 1e6;
  if ((view.getUint16(at + 40, true) & ABSOLUTE) === 0) return ms;
  const isRealtime = view.getUint32(at + 16, true) === REALTIME;
  // the other clock counts from where Node's high resolution time does
  const now = isRealtime ? Date.now() : Number(process.hrtime.bigint()) / 1e6;
  return Math.max(0, ms - now);
}
