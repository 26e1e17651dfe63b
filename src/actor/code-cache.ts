/**
 * Runs the code of an actor, compiled already where an earlier thread of this program has done
 * that: it is the same text in every thread, and to compile it is a sixth of a thread's start. V8
 * itself refuses what was compiled by another version, with other flags or from a text of another length.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Script } from 'node:vm';

import { CodeCell } from '../protocol/code-cell.ts';
import { CODE_CACHE_MS } from '../protocol/limits.ts';

/** As Node wraps a CommonJS module. */
const HEAD = '(function (exports, require, module, __filename, __dirname) {';
const TAIL = '\n})';

type Wrapped = (...scope: unknown[]) => void;

/**
 * @param filename a CommonJS file that is one bundle, and imports nothing by `import()`.
 * @param memory a {@link CodeCell}.
 * @returns its exports.
 */
export function requireCached(filename: string, memory: SharedArrayBuffer): unknown {
  const cell = new CodeCell(memory);
  const cached = cell.read();
  const script = new Script(HEAD + readFileSync(filename, 'utf8') + TAIL, {
    filename,
    columnOffset: -HEAD.length,
    ...(cached && { cachedData: cached }),
  });
  const module = { exports: {} };
  const run = script.runInThisContext() as Wrapped;
  run(module.exports, createRequire(filename), module, filename, path.dirname(filename));
  if (!cached) {
    // by then what a start needs is compiled too
    setTimeout(() => {
      if (cell.claim()) cell.write(script.createCachedData());
    }, CODE_CACHE_MS).unref();
  }
  return module.exports;
}
