/** The files that a thread runs, each compiled already where an earlier thread has done that. */
import path from 'node:path';

import type { CodeCells, ThreadFile } from '../protocol/code-cells.ts';
import { requireCached, type CachedCode } from './code-cache.ts';

export class ThreadCode {
  readonly #folder: string;
  readonly #cells: Readonly<Record<ThreadFile, CodeCells>>;
  readonly #loaded: CachedCode[] = [];

  constructor(folder: string, cells: Readonly<Record<ThreadFile, CodeCells>>) {
    this.#folder = folder;
    this.#cells = cells;
  }

  /** Its exports. To be asked for once. */
  load(file: ThreadFile): unknown {
    const code = requireCached(path.join(this.#folder, `${file}.cjs`), this.#cells[file]);
    this.#loaded.push(code);
    return code.exports;
  }

  /** The first call is over: what it had compiled is kept for others. */
  called(): void {
    for (const code of this.#loaded) code.called();
  }
}
