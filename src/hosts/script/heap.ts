/** A VM's whole heap as a value, and back: only for the same code, engine and config. */
import type { VmImage } from './vm.ts';

const FORMAT = 'troupe-script-heap';
const VERSION = 2;
const PAGE_BYTES = 65_536;

export interface HeapOrigin {
  /** The engine and the runtime's own part in the VM. */
  engine: string;
  /** SHA-256 of each file the script is made of. */
  files: Record<string, string>;
  /** SHA-256 of the plugin's config: what was made of it is in the heap. */
  config: string;
}

export interface SavedHeap extends VmImage, HeapOrigin {
  format: typeof FORMAT;
  version: typeof VERSION;
}

export function savedHeap(image: VmImage, origin: HeapOrigin): SavedHeap {
  return { format: FORMAT, version: VERSION, ...origin, ...image };
}

/** @throws an error with the code `SNAPSHOT_REFUSED` that says why. */
export function imageOf(
  saved: unknown,
  { engine, config }: Omit<HeapOrigin, 'files'>,
  isMadeOf: (files: Readonly<Record<string, unknown>>) => boolean,
): VmImage {
  if (!isSavedHeap(saved)) throw refused('it is not the heap of a script');
  if (saved.engine !== engine) {
    throw refused(`it was taken from another engine (${saved.engine}; this is ${engine})`);
  }
  if (!isMadeOf(saved.files)) throw refused("the script's code is not the same any more");
  if (saved.config !== config) throw refused("the plugin's config is not the same any more");
  return saved;
}

/** It may have been kept anywhere: what does not fit is never read as something else. */
function isSavedHeap(value: unknown): value is SavedHeap {
  if (typeof value !== 'object' || value === null) return false;
  const saved = value as Partial<Record<keyof SavedHeap, unknown>>;
  const { memory, tokens } = saved;
  if (saved.format !== FORMAT || saved.version !== VERSION) return false;
  if (typeof saved.engine !== 'string' || typeof saved.config !== 'string') return false;
  if (typeof saved.files !== 'object') return false;
  if (saved.files === null || !(memory instanceof Uint8Array) || !Array.isArray(tokens)) {
    return false;
  }
  const isPointer = (at: unknown): boolean =>
    Number.isInteger(at) && Number(at) > 0 && Number(at) < memory.byteLength;
  return (
    memory.byteLength > 0 &&
    memory.byteLength % PAGE_BYTES === 0 &&
    tokens.length > 0 &&
    [saved.stackPointer, saved.runtimePtr, saved.contextPtr, ...(tokens as unknown[])].every(
      isPointer,
    )
  );
}

function refused(why: string): Error {
  const error = new Error(`the snapshot cannot be restored: ${why}`);
  return Object.assign(error, { code: 'SNAPSHOT_REFUSED' });
}
