/** What modules of AssemblyScript import where their build says nothing else. */
import { GuestError } from './guest-error.ts';

/** `env.abort`: ends the call, with what it was told. */
export function aborting(memory: () => WebAssembly.Memory | undefined): Record<string, unknown> {
  return {
    abort(message: number, file: number, line: number, column: number): never {
      const buffer = memory()?.buffer;
      const what = buffer ? utf16(buffer, message) : '';
      const where = buffer ? utf16(buffer, file) : '';
      throw new GuestError(
        `it aborted${what && `: ${what}`}${where && ` (${where}:${String(line)}:${String(column)})`}`,
      );
    },
  };
}

const TEXT_CHARS_MAX = 1_000;

/** A string of AssemblyScript: its length in bytes lies before it. */
function utf16(buffer: ArrayBuffer, pointer: number): string {
  const start = pointer >>> 0;
  if (start < 4 || start > buffer.byteLength) return '';
  const bytes = new DataView(buffer).getUint32(start - 4, true);
  const end = Math.min(start + bytes, start + 2 * TEXT_CHARS_MAX, buffer.byteLength);
  return Buffer.from(buffer, start, end - start).toString('utf16le');
}
