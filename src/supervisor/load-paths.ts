/** What a plugin reads to be loaded: the runtime, the packages, its code. */
import { realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import type { KeptModules } from '../protocol/kept-code.ts';
import type { Access, PluginPlan } from '../protocol/manifest.ts';

/** What the file system says. */
export interface FileFacts {
  /** `undefined`: nothing is there, or it cannot be seen. */
  kindOf: (file: string) => 'file' | 'folder' | undefined;
  /** Links resolved; the path itself where nothing is there. */
  realPath: (file: string) => string;
}

export const FILES: FileFacts = {
  kindOf(file) {
    try {
      return statSync(file).isDirectory() ? 'folder' : 'file';
    } catch {
      return undefined;
    }
  },
  realPath(file) {
    try {
      return realpathSync(file);
    } catch {
      return file;
    }
  },
};

/** `dist`, or the project's folder where it runs from source. */
export const RUNTIME = fileURLToPath(new URL('../..', import.meta.url));

/** A plugin's code. */
export interface Modules {
  /** As the spec has them. */
  plan: Pick<PluginPlan, 'entry' | 'modules'>;
  /** What runs, after bundling. */
  entryUrl: string;
  modules: Record<string, string>;
  kept?: KeptModules | undefined;
  /** The folder of the runtime itself. */
  runtime?: string;
}

/**
 * The plugin's access, and reading what it needs to be loaded: its code, the runtime, and every
 * `node_modules` and `package.json` from these upwards. Node asks for some paths as they are
 * written, and for some with links resolved, so each is there in both ways.
 */
export function accessToLoad(
  access: Access,
  { plan, entryUrl, modules, kept = {}, runtime = RUNTIME }: Modules,
  files: FileFacts = FILES,
): Access {
  const both = (paths: readonly string[]): string[] => [
    ...new Set(paths.flatMap((file) => (file === '*' ? file : [file, files.realPath(file)]))),
  ];
  const code = both([
    path.resolve(runtime),
    ...[entryUrl, ...Object.values(modules)].flatMap(fileOf),
    ...Object.values(kept).flatMap(({ href }) => fileOf(href)),
  ]);
  const sources = [plan.entry, ...Object.values(plan.modules)].flatMap(({ href }) => fileOf(href));
  // a link as entry: the module finds what lies beside the file it leads to
  const home = sources.map((file) => path.dirname(files.realPath(file)));
  const packages = [...code, ...both([...sources, ...home])]
    .flatMap(foldersFrom)
    .flatMap((folder) => [path.join(folder, 'node_modules'), path.join(folder, 'package.json')])
    .filter((file) => files.kindOf(file) !== undefined);
  return {
    ...access,
    read: both([...access.read, ...code, ...home, ...packages]),
    write: both(access.write),
  };
}

function fileOf(url: string): string[] {
  return url.startsWith('file:') ? [fileURLToPath(url)] : [];
}

/** Itself, and all it lies in. */
function foldersFrom(file: string): string[] {
  const above = path.dirname(file);
  return above === file ? [file] : [file, ...foldersFrom(above)];
}
