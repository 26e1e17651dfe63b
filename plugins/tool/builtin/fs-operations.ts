/** What `filesystem` does in an open folder. */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, mkdir, open, opendir, rename, rm, rmdir, type FileHandle } from 'node:fs/promises';
import path from 'node:path';

import { ToolError } from '../tool-error.ts';
import { NO_SURPRISE, type Folder } from './fs-folder.ts';

type Kind = 'file' | 'folder' | 'link' | 'other';
export type Encoding = 'utf8' | 'base64';

export interface Place {
  folder: Folder;
  name: string;
}

export async function read(
  { folder, name }: Place,
  { offset, bytesMax, encoding }: { offset: number; bytesMax: number; encoding: Encoding },
): Promise<object> {
  return withFile({ folder, name }, constants.O_RDONLY, async (file, size) => {
    const buffer = Buffer.alloc(Math.min(bytesMax, Math.max(size - offset, 0)));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
    const content = buffer.subarray(0, bytesRead).toString(encoding);
    return { content, encoding, bytes: bytesRead, size, truncated: offset + bytesRead < size };
  });
}

/** As a whole: a reader sees the file before, or after. A link of that name is replaced, not followed. */
export async function replace(place: Place, content: Buffer): Promise<void> {
  const { folder, name } = place;
  const mode = await modeOf(place);
  const draft = `.troupe-${randomUUID()}.tmp`;
  try {
    await create({ folder, name: draft }, content, mode);
    await rename(path.join(folder.at, draft), path.join(folder.at, name));
  } catch (error) {
    await rm(path.join(folder.at, draft), { force: true });
    throw error;
  }
}

/** Refused where there is something of that name. What cannot be written as a whole is not left behind. */
export async function create(
  { folder, name }: Place,
  content: Buffer,
  mode = 0o666,
): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | NO_SURPRISE;
  const file = await open(path.join(folder.at, name), flags, mode);
  try {
    await folder.confirm(name, file);
    try {
      await file.writeFile(content);
    } catch (error) {
      await rm(path.join(folder.at, name), { force: true });
      throw error;
    }
  } finally {
    await file.close();
  }
}

export async function append(place: Place, content: Buffer): Promise<void> {
  await withFile(place, constants.O_WRONLY | constants.O_APPEND, (file) =>
    file.appendFile(content),
  );
}

export async function list(folder: Folder, entriesMax: number): Promise<object> {
  const entries: { name: string; kind: Kind }[] = [];
  for await (const entry of await opendir(folder.at)) {
    if (entries.length >= entriesMax) return { entries: sorted(entries), truncated: true };
    entries.push({ name: entry.name, kind: kindOf(entry) });
  }
  return { entries: sorted(entries), truncated: false };
}

export async function describe({ folder, name }: Place): Promise<object> {
  const stats = await lstat(path.join(folder.at, name));
  return { kind: kindOf(stats), bytes: stats.size, modified: stats.mtime.toISOString() };
}

export async function makeFolder({ folder, name }: Place): Promise<void> {
  await mkdir(path.join(folder.at, name));
}

/** A file, a link itself, or an empty folder. */
export async function remove({ folder, name }: Place): Promise<void> {
  const at = path.join(folder.at, name);
  if ((await lstat(at)).isDirectory()) await rmdir(at);
  else await rm(at);
}

/** Refused where there is something already; two that move to the same name at once may not see that. */
export async function move(from: Place, to: Place): Promise<void> {
  const target = path.join(to.folder.at, to.name);
  if (await exists(target)) throw new ToolError('FS_EXISTS', `'${to.name}' is there already`);
  await rename(path.join(from.folder.at, from.name), target);
}

/** An open file is what it was when it was opened, whatever its name leads to by now. */
async function withFile<T>(
  { folder, name }: Place,
  flags: number,
  work: (file: FileHandle, size: number) => Promise<T>,
): Promise<T> {
  const file = await open(path.join(folder.at, name), flags | NO_SURPRISE);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new ToolError('FS_NOT_A_FILE', `'${name}' is no file`);
    await folder.confirm(name, file);
    return await work(file, stats.size);
  } finally {
    await file.close();
  }
}

async function modeOf({ folder, name }: Place): Promise<number> {
  try {
    const stats = await lstat(path.join(folder.at, name));
    if (stats.isDirectory()) throw new ToolError('FS_NOT_A_FILE', `'${name}' is a folder`);
    return stats.isFile() ? stats.mode & 0o777 : 0o666;
  } catch (error) {
    if (error instanceof ToolError) throw error;
    return 0o666;
  }
}

async function exists(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  );
}

function kindOf(entry: {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}): Kind {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'folder';
  return entry.isSymbolicLink() ? 'link' : 'other';
}

function sorted<T extends { name: string }>(entries: T[]): T[] {
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}
