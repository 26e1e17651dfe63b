/**
 * What a process holds beside its heap: V8 bounds the heap exactly (`--max-old-space-size`), and
 * ends only that process; buffers and WebAssembly memory it does not see. They show in the memory
 * that is resident, which Linux tells of any process. Elsewhere nothing is watched.
 */
import { readFileSync } from 'node:fs';

import { MEMORY_LOOK_MS_MAX, RESIDENT_ROOM_MB } from '../protocol/limits.ts';
import { limitBytesOf, type MemoryReading } from './memory-rules.ts';

type Over = (reading: MemoryReading, limitBytes: number, message: string) => void;

/** @returns what ends the watch. */
export function watchResidentMemory(pid: number, memoryMb: number, over: Over): () => void {
  // the heap may be full, and so may what is beside it
  const limitBytes = 2 * limitBytesOf(memoryMb) + limitBytesOf(RESIDENT_ROOM_MB);
  const timer = setInterval(() => {
    const bytes = residentBytesOf(pid);
    if (bytes === undefined || bytes < limitBytes) return;
    stop();
    const mib = (bytes / 2 ** 20).toFixed(0);
    const message = `${mib} MiB of it are resident, with memoryMb ${String(memoryMb)}`;
    over({ heapUsedBytes: 0, externalBytes: bytes }, limitBytes, message);
  }, MEMORY_LOOK_MS_MAX);
  timer.unref();
  const stop = (): void => {
    clearInterval(timer);
  };
  return stop;
}

function residentBytesOf(pid: number): number | undefined {
  try {
    const status = readFileSync(`/proc/${String(pid)}/status`, 'latin1');
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    // another system, or it is gone
    return undefined;
  }
}
