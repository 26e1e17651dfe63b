/** When to look at a thread's memory, and what is too much. Pure: the clock is the caller's. */
import {
  GC_REST_FACTOR,
  GC_REST_MS_MAX,
  GROWTH_BYTES_PER_MS,
  HARD_LIMIT_FACTOR,
  HARD_LIMIT_ROOM_MB,
  MEMORY_LOOK_MS_MAX,
  MEMORY_LOOK_MS_MIN,
  YOUNG_GARBAGE_MB,
} from '../protocol/limits.ts';

/** What a thread holds, as seen from outside (bytes). */
export interface MemoryReading {
  /** On V8's heap. */
  heapUsedBytes: number;
  /** Buffers and WebAssembly memory; memory shared between threads is nobody's. */
  externalBytes: number;
}

const MIB = 1024 * 1024;

/** V8's own limit (MiB): above the soft one, so that the thread is ended before V8 ends the process. */
export function hardLimitMb(memoryMb: number): number {
  return Math.ceil(Math.max(memoryMb + HARD_LIMIT_ROOM_MB, memoryMb * HARD_LIMIT_FACTOR));
}

/**
 * Where the garbage is collected again although that was done just now: the more room there was
 * then, the more garbage may have come since (bytes).
 */
export function restingMarkBytes(liveBytes: number, limitBytes: number): number {
  return limitBytes + Math.max(0, limitBytes - liveBytes) + YOUNG_GARBAGE_MB * MIB;
}

/** How long that mark holds, after a collection that took `tookMs` (ms). */
export function restMs(tookMs: number): number {
  return Math.min(GC_REST_MS_MAX, tookMs * GC_REST_FACTOR);
}

export function limitBytesOf(memoryMb: number): number {
  return memoryMb * MIB;
}

export function heldBytes({ heapUsedBytes, externalBytes }: MemoryReading): number {
  return heapUsedBytes + externalBytes;
}

/** Whether a thread that held `heldBytes` can have reached `limitBytes` in `activeMs` of work. */
export function mayHaveReached(heldBytes: number, activeMs: number, limitBytes: number): boolean {
  return heldBytes + activeMs * GROWTH_BYTES_PER_MS >= limitBytes;
}

/** Until the next look at a thread that works (ms): rare far from the limit, often close to it. */
export function nextLookMs(heldBytes: number, activeMs: number, limitBytes: number): number {
  const room = limitBytes - heldBytes - activeMs * GROWTH_BYTES_PER_MS;
  const untilFullMs = room / GROWTH_BYTES_PER_MS;
  return Math.min(MEMORY_LOOK_MS_MAX, Math.max(MEMORY_LOOK_MS_MIN, untilFullMs));
}
