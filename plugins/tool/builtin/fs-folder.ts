/**
 * A folder below a root, reached name by name without following a link. Where the system has
 * /proc/self/fd, each step starts at the open folder before it, so that nothing which is moved or
 * replaced meanwhile leads elsewhere. Else the way is checked again once the file is open.
 */
import { constants } from 'node:fs';
import { lstat, open, realpath, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';

import { ToolError } from '../tool-error.ts';

const FOLDER = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0) | (constants.O_NOFOLLOW ?? 0);
/** For files: a link is not followed, a pipe is not waited for. */
export const NO_SURPRISE = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Beginning of all paths, with its links resolved. */
export interface Root {
  path: string;
  /** Steps can start at an open folder. */
  byHandle: boolean;
}

export interface Folder {
  /** What the path of something in it begins with, as long as it is open. */
  at: string;
  /** Throws unless an open file is the one that this folder has by that name. */
  confirm(name: string, file: FileHandle): Promise<void>;
  close(): Promise<void>;
}

/** @throws Error that says why the folder can't be a root. */
export async function openRoot(folder: string): Promise<Root> {
  const real = await realpath(path.resolve(folder));
  if (!(await stat(real)).isDirectory()) throw new Error('it is no folder');
  return { path: real, byHandle: await worksByHandle(real) };
}

/** @throws ToolError `FS_LINK`, or an error of the system. */
export async function openFolder(root: Root, names: readonly string[]): Promise<Folder> {
  return root.byHandle ? byHandle(root.path, names) : byPath(root.path, names);
}

async function byHandle(start: string, names: readonly string[]): Promise<Folder> {
  let handle = await open(start, FOLDER);
  for (const name of names) {
    try {
      const next = await open(path.join(placeOf(handle), name), FOLDER);
      await handle.close();
      handle = next;
    } catch (error) {
      const isLink = await isLinkAt(path.join(placeOf(handle), name));
      await handle.close();
      throw isLink ? linked(name) : error;
    }
  }
  return {
    at: placeOf(handle),
    // the file was opened by way of the open folder
    confirm: async () => undefined,
    close: () => handle.close(),
  };
}

async function byPath(start: string, names: readonly string[]): Promise<Folder> {
  const at = path.join(start, ...names);
  const confirmFolder = async (): Promise<void> => {
    if ((await realpath(at)) !== at) throw linked(names.join('/'));
  };
  await confirmFolder();
  if (!(await lstat(at)).isDirectory()) throw Object.assign(new Error(), { code: 'ENOTDIR' });
  return {
    at,
    async confirm(name, file) {
      await confirmFolder();
      const [there, opened] = await Promise.all([lstat(path.join(at, name)), file.stat()]);
      if (there.isSymbolicLink() || there.ino !== opened.ino || there.dev !== opened.dev) {
        throw linked(name);
      }
    },
    close: async () => undefined,
  };
}

function placeOf({ fd }: FileHandle): string {
  return `/proc/self/fd/${String(fd)}`;
}

async function worksByHandle(folder: string): Promise<boolean> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, FOLDER);
    const [there, here] = await Promise.all([stat(`${placeOf(handle)}/.`), handle.stat()]);
    return there.ino === here.ino && there.dev === here.dev;
  } catch {
    return false;
  } finally {
    await handle?.close();
  }
}

/** Of a link in the place of a folder the system says that it is none. */
async function isLinkAt(place: string): Promise<boolean> {
  return lstat(place).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  );
}

export function linked(name: string): ToolError {
  return new ToolError(
    'FS_LINK',
    `'${name}' is a symbolic link, or leads through one; none is followed`,
  );
}
