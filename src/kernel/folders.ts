/** Watching folders: what is in them, not below them, unless it is said how deep. */
import type { FSWatcher } from 'chokidar';

/**
 * Settles when it watches. It keeps no process alive.
 *
 * @param changed hears of what appeared, changed or went, by its path.
 */
export async function watchFolders(
  folders: string[],
  depth: number,
  changed: (file: string) => void,
): Promise<FSWatcher> {
  const { watch } = await import('chokidar');
  const watcher = watch(folders, { depth, ignoreInitial: true, persistent: false });
  watcher.on('all', (_, file) => {
    changed(file);
  });
  // a folder that cannot be read is told as one that is empty
  watcher.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    watcher.once('ready', resolve);
  });
  return watcher;
}
