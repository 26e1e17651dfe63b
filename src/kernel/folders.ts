/** Watching folders: what is in them, not below them, unless it is said how deep. */
import { stat } from 'node:fs/promises';

import type { FSWatcher } from 'chokidar';

/** chokidar tells of no second change of a file within 50 ms of the first: then it is looked at (ms). */
const LOOK_AGAIN_MS = 60;

/**
 * Settles when it watches. It keeps no process alive.
 *
 * @param changed hears of what appeared, changed or went, by its path; the last time after the last change.
 */
export async function watchFolders(
  folders: string[],
  depth: number,
  changed: (file: string) => void,
): Promise<FSWatcher> {
  const { watch } = await import('chokidar');
  const watcher = watch(folders, { depth, ignoreInitial: true, persistent: false });
  const lookAgain = async (file: string, toldMs: number | undefined): Promise<void> => {
    const now = await stat(file).catch(() => undefined);
    if (!watcher.closed && now?.mtimeMs !== toldMs) changed(file);
  };
  watcher.on('all', (_, file, told) => {
    changed(file);
    setTimeout(() => void lookAgain(file, told?.mtimeMs), LOOK_AGAIN_MS).unref();
  });
  // a folder that cannot be read is told as one that is empty
  watcher.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    watcher.once('ready', resolve);
  });
  return watcher;
}
