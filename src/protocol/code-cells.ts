/** Compiled forms of the code that actors run, which their threads leave to each other. */
import { CODE_BYTES_MAX } from './limits.ts';
import { OnceCell } from './once-cell.ts';

/** Of one file, twice: V8 compiles a function when it is first called. */
export interface CodeCells {
  /** With what a start needs: there soon, for threads that begin one after the other. */
  started: SharedArrayBuffer;
  /** With what a call needs, too. */
  called: SharedArrayBuffer;
}

/** What every thread runs first, and the hosts that not every plugin needs. */
export type ThreadFile = 'thread' | 'script-host' | 'wasm-host';

export function createCodeCells(): CodeCells {
  return { started: OnceCell.create(CODE_BYTES_MAX), called: OnceCell.create(CODE_BYTES_MAX) };
}

export function createThreadCells(): Record<ThreadFile, CodeCells> {
  return {
    'thread': createCodeCells(),
    'script-host': createCodeCells(),
    'wasm-host': createCodeCells(),
  };
}
