/** Where a path leads, also when nothing is there yet. */
import fs from 'node:fs';
import path from 'node:path';

// as they are before the guard: it asks them
const { lstatSync, readlinkSync, realpathSync } = fs;
const realPath = realpathSync.native;

/** Linux follows no more. */
const LINKS_MAX = 40;

export function realPathOf(file: string, links = 0): string {
  try {
    return realPath(file);
  } catch {
    const above = path.dirname(file);
    if (above === file) return file;
    const target = links < LINKS_MAX ? linkTarget(file) : undefined;
    if (target !== undefined) return realPathOf(path.resolve(above, target), links + 1);
    return path.join(realPathOf(above, links), path.basename(file));
  }
}

/** A link to what is not there: who writes to it creates it. */
function linkTarget(file: string): string | undefined {
  try {
    return lstatSync(file).isSymbolicLink() ? readlinkSync(file) : undefined;
  } catch {
    return undefined;
  }
}
