/**
 * Runs the code of an actor, compiled already where an earlier thread of this program has done
 * that: it is the same text in every thread, and to compile it is a sixth of a thread's start. V8
 * itself refuses what was compiled by another version, with other flags or from a text of another length.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Script } from 'node:vm';

import type { CodeCells } from '../protocol/code-cells.ts';
import { CODE_CACHE_MS } from '../protocol/limits.ts';
import { OnceCell } from '../protocol/once-cell.ts';

export interface CachedCode {
  exports: unknown;
  /** By now what a call needs is compiled. */
  called(): void;
}

/** As Node wraps a CommonJS module. */
const HEAD = '(function (exports, require, module, __filename, __dirname) {';
const TAIL = '\n})';

type Wrapped = (...scope: unknown[]) => void;

/** @param filename a CommonJS file that is one bundle, in ASCII, and imports nothing by `import()`. */
export function requireCached(filename: string, cells: CodeCells): CachedCode {
  const started = new OnceCell(cells.started);
  const called = new OnceCell(cells.called);
  const cached = called.read() ?? started.read();
  const script = new Script(HEAD + readFileSync(filename, 'latin1') + TAIL, {
    filename,
    columnOffset: -HEAD.length,
    ...(cached && { cachedData: cached }),
  });
  const module = { exports: {} };
  const run = script.runInThisContext() as Wrapped;
  run(module.exports, createRequire(filename), module, filename, path.dirname(filename));
  const keep = (cell: OnceCell): void => {
    if (cell.claim()) cell.write(script.createCachedData());
  };
  // by then what a start needs is compiled too
  if (!cached) setTimeout(keep, CODE_CACHE_MS, started).unref();
  return {
    exports: module.exports,
    called: () => {
      keep(called);
    },
  };
}
