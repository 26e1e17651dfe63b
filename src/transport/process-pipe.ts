/** Both ends of the pipes between a plugin's process and ours: which descriptor is what. */
import { readSync, writeSync, writevSync } from 'node:fs';
import { Socket } from 'node:net';
import process from 'node:process';
import type { Writable } from 'node:stream';

/** In the child's `stdio`. Two streams: the child blocks when it writes, and never when it reads. */
export const STDIO = { toChild: 3, fromChild: 4, board: 5 } as const;

/** For the child: what is written is on its way when this returns, also if the process ends next. */
export function blockingWriter(descriptor: number, onClosed: () => void) {
  return (parts: Uint8Array[]): void => {
    try {
      const bytes = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
      const written = writevSync(descriptor, parts);
      if (written < bytes) writeRest(descriptor, Buffer.concat(parts, bytes), written);
    } catch {
      onClosed();
    }
  };
}

function writeRest(descriptor: number, bytes: Buffer, from: number): void {
  for (let at = from; at < bytes.byteLength;) at += writeSync(descriptor, bytes, at);
}

/** For the child: what its supervisor sends. */
export function childInput(onClosed: () => void): Socket {
  return new Socket({ fd: STDIO.toChild, readable: true, writable: false })
    .on('error', onClosed)
    .on('close', onClosed);
}

/** The same without the event loop: what is there already. Not on Windows, where a read would wait. */
export function childInputNow(onClosed: () => void): (() => Buffer | undefined) | undefined {
  if (process.platform === 'win32') return undefined;
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  return () => {
    let bytes = 0;
    try {
      bytes = readSync(STDIO.toChild, chunk);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return undefined;
    }
    if (bytes === 0) onClosed();
    return Buffer.from(chunk.subarray(0, bytes));
  };
}

const CHUNK_BYTES = 64 * 1024;

/** For us: never waits for the child. */
export function streamWriter(stream: Writable) {
  return (parts: Uint8Array[]): void => {
    stream.cork();
    for (const part of parts) stream.write(part);
    stream.uncork();
  };
}
