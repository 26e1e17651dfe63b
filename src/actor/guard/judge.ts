/** Whether a restricted plugin may touch a path: links are resolved before. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Access } from '../../protocol/manifest.ts';
import { accessDenied, type AccessDenied } from './denied.ts';

export type Need = 'read' | 'write';

export interface Judge {
  /** @param given as the caller gave it; what is no path is left to Node. */
  denies(given: unknown, need: Need): AccessDenied | undefined;
  /** Reading and writing everywhere. */
  isUnlimited: boolean;
}

/** @param realPathOf of an absolute path. */
export function judgeOf(
  { read, write }: Pick<Access, 'read' | 'write'>,
  realPathOf: (file: string) => string,
): Judge {
  const granted = { read: granter(read, realPathOf), write: granter(write, realPathOf) };
  return {
    isUnlimited: read.includes('*') && write.includes('*'),
    denies(given, need) {
      const file = pathOf(given);
      if (file === undefined || granted[need](file)) return undefined;
      return accessDenied(need === 'read' ? 'FileSystemRead' : 'FileSystemWrite', file);
    },
  };
}

function granter(
  paths: readonly string[],
  realPathOf: (file: string) => string,
): (file: string) => boolean {
  if (paths.includes('*')) return () => true;
  const granted = [...new Set(paths.map(realPathOf))];
  return (file) => {
    const real = realPathOf(path.resolve(file));
    return granted.some((folder) => isWithin(real, folder));
  };
}

function isWithin(file: string, folder: string): boolean {
  if (file === folder) return true;
  return file.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep);
}

function pathOf(given: unknown): string | undefined {
  if (typeof given === 'string') return given;
  if (given instanceof Uint8Array) return Buffer.from(given).toString();
  try {
    return given instanceof URL ? fileURLToPath(given) : undefined;
  } catch {
    return undefined;
  }
}
