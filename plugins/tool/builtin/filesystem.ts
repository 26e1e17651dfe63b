/** `filesystem`: files below given folders; to read, and where that is allowed, to write. */
import type { ToolDefinition } from 'troupe/plugin';

import { messageOf } from '../../coded-error.ts';
import type { FilesystemOptions } from '../options.ts';
import { ToolError } from '../tool-error.ts';
import { linked, openFolder, openRoot, type Folder, type Root } from './fs-folder.ts';
import {
  append,
  create,
  describe,
  list,
  makeFolder,
  move,
  read,
  remove,
  replace,
  type Encoding,
  type Place,
} from './fs-operations.ts';
import { namesOf } from './fs-path.ts';

const READS = ['read', 'list', 'stat'] as const;
const WRITES = ['write', 'create', 'append', 'mkdir', 'move', 'delete'] as const;

interface Arguments {
  op: (typeof READS)[number] | (typeof WRITES)[number];
  path: string;
  to?: string;
  content?: string;
  encoding?: Encoding;
  offset?: number;
}

/** Where a path leads to: a root, and names below it. */
interface Target {
  root: Root;
  names: string[];
}

/** What the system says, in words that name no path of the machine. */
const SYSTEM: Readonly<Record<string, [code: string, what: string]>> = {
  ENOENT: ['FS_NOT_FOUND', 'is not there'],
  ENOTDIR: ['FS_NOT_A_FOLDER', 'is no folder, or leads through a link or a file'],
  EISDIR: ['FS_NOT_A_FILE', 'is a folder'],
  EEXIST: ['FS_EXISTS', 'is there already'],
  ENOTEMPTY: ['FS_NOT_EMPTY', 'is a folder that is not empty'],
  EACCES: ['FS_DENIED', 'may not be used that way'],
  EPERM: ['FS_DENIED', 'may not be used that way'],
  EROFS: ['FS_DENIED', 'is on a file system that is only read'],
  ENOSPC: ['FS_FULL', 'cannot be written: the disk is full'],
  EDQUOT: ['FS_FULL', 'cannot be written: the quota is used up'],
  ENXIO: ['FS_NOT_A_FILE', 'is no file'],
  EXDEV: ['FS_FAILED', 'cannot be moved there: it is another file system'],
  ERR_ACCESS_DENIED: ['FS_DENIED', 'is denied by the permissions of the plugin'],
};

export async function filesystem({
  roots,
  write = false,
  bytesMax = 1024 * 1024,
  entriesMax = 1_000,
}: FilesystemOptions): Promise<ToolDefinition> {
  const opened = typeof roots === 'string' ? await rootOf(roots, 'roots') : await rootsOf(roots);
  const limits = { bytesMax, entriesMax };
  return {
    name: 'filesystem',
    description: descriptionOf(opened, write, bytesMax),
    input: {
      type: 'object',
      properties: {
        op: { enum: write ? [...READS, ...WRITES] : READS },
        path: { type: 'string', description: "Relative, parted by /; '' is the root" },
        encoding: { enum: ['utf8', 'base64'], default: 'utf8' },
        offset: { type: 'integer', minimum: 0, description: 'For read: first byte; default 0' },
        ...(write && {
          content: { type: 'string', description: 'For write, create, append' },
          to: { type: 'string', description: 'For move: the new path' },
        }),
      },
      required: ['op', 'path'],
      additionalProperties: false,
    },
    async execute(given) {
      const args = given as Arguments;
      try {
        return await perform(args, opened, limits);
      } catch (error) {
        throw told(error, args.path);
      }
    },
  };
}

async function perform(
  args: Arguments,
  roots: Root | Map<string, Root>,
  { bytesMax, entriesMax }: { bytesMax: number; entriesMax: number },
): Promise<unknown> {
  const { op, path, encoding = 'utf8', offset = 0 } = args;
  const names = namesOf(path);
  if (roots instanceof Map && names.length === 0) {
    if (op !== 'list') throw refused(`op '${op}' needs a path that begins with a root`);
    return {
      entries: [...roots.keys()].map((name) => ({ name, kind: 'folder' })),
      truncated: false,
    };
  }
  const target = targetOf(roots, names);
  if (op === 'list') return inFolder(target, (folder) => list(folder, entriesMax));
  return inPlace(target, async (place) => {
    switch (op) {
      case 'read':
        return read(place, { offset, bytesMax, encoding });
      case 'stat':
        return describe(place);
      case 'write':
        return written(args, bytesMax, (content) => replace(place, content));
      case 'create':
        return written(args, bytesMax, (content) => create(place, content));
      case 'append':
        return written(args, bytesMax, (content) => append(place, content));
      case 'mkdir':
        await makeFolder(place);
        return { done: true };
      case 'delete':
        await remove(place);
        return { done: true };
      case 'move': {
        if (args.to === undefined) throw refused("op 'move' needs 'to'");
        await inPlace(targetOf(roots, namesOf(args.to)), (to) => move(place, to));
        return { done: true };
      }
    }
  });
}

async function written(
  { content, encoding = 'utf8', op }: Arguments,
  bytesMax: number,
  write: (content: Buffer) => Promise<void>,
): Promise<object> {
  if (content === undefined) throw refused(`op '${op}' needs 'content'`);
  const bytes = encoding === 'base64' ? decodeBase64(content) : Buffer.from(content);
  if (bytes.length > bytesMax) {
    throw new ToolError('FS_TOO_LARGE', `the content has more than ${String(bytesMax)} bytes`);
  }
  await write(bytes);
  return { bytes: bytes.length };
}

/** Of both alphabets, with or without padding, in lines or not. What Node cannot read, it leaves out. */
function decodeBase64(content: string): Buffer {
  const text = content.replaceAll(/\s+/g, '');
  const isPadded = text.endsWith('=');
  const isWhole = isPadded ? text.length % 4 === 0 : text.length % 4 !== 1;
  if (isWhole && /^[\w+/-]*={0,2}$/.test(text)) return Buffer.from(text, 'base64');
  throw new ToolError('FS_CONTENT_INVALID', "the content is not base64, as its 'encoding' says");
}

function targetOf(roots: Root | Map<string, Root>, names: string[]): Target {
  if (!(roots instanceof Map)) return { root: roots, names };
  const [first = '', ...rest] = names;
  const root = roots.get(first);
  if (root) return { root, names: rest };
  const known = [...roots.keys()].join(', ');
  throw new ToolError('FS_NOT_FOUND', `there is no root '${first}'; a path begins with ${known}`);
}

async function inFolder<T>(
  { root, names }: Target,
  work: (folder: Folder) => Promise<T>,
): Promise<T> {
  const folder = await openFolder(root, names);
  try {
    return await work(folder);
  } finally {
    await folder.close();
  }
}

async function inPlace<T>({ root, names }: Target, work: (place: Place) => Promise<T>): Promise<T> {
  const name = names.at(-1);
  if (name === undefined) throw refused('this op needs a path below the root');
  return inFolder({ root, names: names.slice(0, -1) }, (folder) => work({ folder, name }));
}

async function rootsOf(roots: Record<string, string>): Promise<Map<string, Root>> {
  const opened = new Map<string, Root>();
  for (const [name, folder] of Object.entries(roots)) {
    opened.set(name, await rootOf(folder, `roots.${name}`));
  }
  return opened;
}

async function rootOf(folder: string, option: string): Promise<Root> {
  try {
    return await openRoot(folder);
  } catch (error) {
    const why = messageOf(error);
    throw new ToolError('TOOL_INVALID', `option "${option}" of filesystem cannot be used: ${why}`);
  }
}

function descriptionOf(roots: Root | Map<string, Root>, write: boolean, bytesMax: number): string {
  const where =
    roots instanceof Map ? `, whose first part is one of ${[...roots.keys()].join(', ')}` : '';
  const ops = write
    ? 'read, list, stat, write (replaces), create, append, mkdir, move, delete'
    : 'read, list, stat';
  return `Files and folders by relative paths${where}: ${ops}. At most ${String(bytesMax)} bytes at once.`;
}

function told(error: unknown, path: string): Error {
  if (error instanceof ToolError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ELOOP') return linked(path);
  const [known, what] = SYSTEM[code] ?? ['FS_FAILED', `cannot be used (${code || 'unknown'})`];
  return new ToolError(known, `'${path}' ${what}`);
}

function refused(message: string): ToolError {
  return new ToolError('FS_PATH_REFUSED', message);
}
