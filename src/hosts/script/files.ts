/**
 * The files of a script: those below its folder, links resolved, and no others. Of a script that
 * was loaded before, they are what they were then.
 */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import type { ScriptSources } from '../../protocol/kept-code.ts';
import { SCRIPT_SOURCE_BYTES_MAX } from '../../protocol/limits.ts';
import { sha256 } from './sha256.ts';

/** A module of ours, so that a script may import `definePlugin` as other plugins do. */
const PLUGIN_DOOR = 'troupe/plugin';
const PLUGIN_DOOR_SOURCE = 'export const definePlugin = globalThis.definePlugin;';

export class ScriptFiles {
  /** Of the script itself; names are paths from the folder, with `/`. */
  readonly entry: string;
  readonly #folder: string;
  readonly #before: ReadonlyMap<string, Buffer>;
  /** What was read, by name. */
  readonly #read = new Map<string, Buffer>();

  /** @param before what an earlier life of the same version has read. */
  constructor(folder: string, entryUrl: string, before: ScriptSources = {}) {
    this.#before = new Map(
      Object.entries(before).map(([name, source]) => [name, Buffer.from(source)]),
    );
    this.#folder = realpathSync(folder);
    const entry = realpathSync(fileURLToPath(entryUrl));
    this.entry = path.relative(this.#folder, entry).split(path.sep).join('/');
  }

  /** @throws TypeError for what is not a path to a file below the folder. */
  resolveImport(from: string, specifier: string): string {
    if (specifier === PLUGIN_DOOR) return PLUGIN_DOOR;
    const name = path.posix.join(path.posix.dirname(from), specifier);
    const isRelative = /^\.\.?\//.test(specifier) && !/[\\:\0]/.test(specifier);
    if (isRelative && name !== '..' && !name.startsWith('../')) return name;
    throw refused(
      `${from} imports ${JSON.stringify(specifier)}; a script imports files of its own folder only, by a path that begins with ./ or ../`,
    );
  }

  readModule(name: string): string {
    if (name === PLUGIN_DOOR) return PLUGIN_DOOR_SOURCE;
    const source = this.#sourceOf(name);
    this.#read.set(name, source);
    return source.toString('utf8');
  }

  /** What the script is made of: its files, and the SHA-256 of each. */
  get hashes(): Record<string, string> {
    return Object.fromEntries([...this.#read].map(([name, source]) => [name, sha256(source)]));
  }

  /** Whether all these files are there with this content, and the script begins with the same. */
  isMadeOf(hashes: Readonly<Record<string, unknown>>): boolean {
    if (!Object.hasOwn(hashes, this.entry)) return false;
    return Object.keys(hashes).every((name) =>
      this.#isNow(name, (source) => sha256(source) === hashes[name]),
    );
  }

  /** Copies: a small buffer is a part of one that holds much else. */
  get sources(): ScriptSources {
    return Object.fromEntries(
      [...this.#read].map(([name, source]) => [name, Uint8Array.from(source)]),
    );
  }

  #isNow(name: string, test: (source: Buffer) => boolean): boolean {
    try {
      return test(this.#sourceOf(name));
    } catch {
      return false;
    }
  }

  #sourceOf(name: string): Buffer {
    const before = this.#before.get(name);
    if (before) return before;
    let file: string;
    try {
      file = realpathSync(path.join(this.#folder, name));
    } catch {
      throw refused(`there is no ${name} in the script's folder`);
    }
    const relative = path.relative(this.#folder, file);
    if (relative.split(path.sep)[0] === '..' || path.isAbsolute(relative)) {
      throw refused(`${name} is a link out of the script's folder`);
    }
    const stats = statSync(file);
    if (!stats.isFile()) throw refused(`${name} is not a file`);
    if (stats.size > SCRIPT_SOURCE_BYTES_MAX) {
      throw refused(`${name} is larger than ${String(SCRIPT_SOURCE_BYTES_MAX)} bytes`);
    }
    return readFileSync(file);
  }
}

function refused(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: 'SCRIPT_IMPORT' });
}
