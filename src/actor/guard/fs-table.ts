/** Which functions of `node:fs` take paths, and what each does with them. */
import { constants } from 'node:fs';

import type { Need } from './judge.ts';

/** An argument that is a path, and what is done with it: fixed, or by the other arguments. */
export interface PathUse {
  at: number;
  needs: readonly Need[] | ((args: readonly unknown[]) => readonly Need[]);
  /** What Node appends to it. */
  suffix?: string;
}

const READ: readonly PathUse[] = [{ at: 0, needs: ['read'] }];
const WRITE: readonly PathUse[] = [{ at: 0, needs: ['write'] }];
const COPY: readonly PathUse[] = [...READ, { at: 1, needs: ['write'] }];
/** Who has a file under another name can write to it there. */
const MOVE: readonly PathUse[] = [
  { at: 0, needs: ['read', 'write'] },
  { at: 1, needs: ['write'] },
];
const TEMPORARY: readonly PathUse[] = [{ at: 0, needs: ['write'], suffix: 'XXXXXX' }];

/** Each stands for the function with a callback, the one with `Sync`, and the one with a promise. */
export const PATH_USES: Readonly<Record<string, readonly PathUse[]>> = {
  access: READ,
  appendFile: WRITE,
  chmod: WRITE,
  chown: WRITE,
  copyFile: COPY,
  cp: COPY,
  exists: READ,
  lchmod: WRITE,
  lchown: WRITE,
  link: MOVE,
  lstat: READ,
  lutimes: WRITE,
  mkdir: WRITE,
  mkdtemp: TEMPORARY,
  mkdtempDisposable: TEMPORARY,
  open: [{ at: 0, needs: (args) => needsOf(args[1]) }],
  openAsBlob: READ,
  opendir: READ,
  readdir: READ,
  readFile: [{ at: 0, needs: (args) => needsOf(flagOption(args[1])) }],
  readlink: READ,
  realpath: READ,
  rename: MOVE,
  rm: WRITE,
  rmdir: WRITE,
  stat: READ,
  statfs: READ,
  truncate: WRITE,
  unlink: WRITE,
  utimes: WRITE,
  watch: READ,
  watchFile: READ,
  writeFile: WRITE,
};

/** Flags as `open` takes them: a text, a number, or left out. */
export function needsOf(flags: unknown): readonly Need[] {
  if (typeof flags === 'number') return needsOfNumber(flags);
  if (typeof flags !== 'string') return ['read'];
  if (flags.includes('+')) return ['read', 'write'];
  return flags.startsWith('r') ? ['read'] : ['write'];
}

function needsOfNumber(flags: number): readonly Need[] {
  const { O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND } = constants;
  if (flags & O_WRONLY) return ['write'];
  if (flags & O_RDWR) return ['read', 'write'];
  return flags & (O_CREAT | O_TRUNC | O_APPEND) ? ['read', 'write'] : ['read'];
}

function flagOption(options: unknown): unknown {
  return typeof options === 'object' && options !== null && 'flag' in options
    ? options.flag
    : undefined;
}
