/** What the tool `script` and its thread tell each other. */

export const LOG_LINES_MAX = 100;
/** Characters of a log line, and of an error. */
export const TEXT_CHARS_MAX = 2_000;

/** `workerData` of the thread. */
export interface ScriptMemory {
  module: WebAssembly.Module;
  memoryMb: number;
  stackKb: number;
}

export interface ScriptJob {
  code: string;
  /** JSON. */
  input: string;
}

/** What its VM says at the end, or what went wrong. */
export type ScriptAnswer = { text: string } | { code: string; message: string };
