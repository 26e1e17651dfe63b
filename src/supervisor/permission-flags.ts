/**
 * Node's permission model as flags of a child process. Node 20 aborts when it is given the same
 * path twice, and adds what is missing to the path of a folder, so each is said once.
 */
import path from 'node:path';
import process from 'node:process';

import type { Access } from '../protocol/manifest.ts';
import { FILES, type FileFacts } from './load-paths.ts';

export interface PlatformFacts extends FileFacts {
  /** Whether this Node has a flag. */
  hasFlag: (flag: string) => boolean;
}

export const PLATFORM: PlatformFacts = {
  ...FILES,
  hasFlag: (flag) => process.allowedNodeEnvironmentFlags.has(flag),
};

export function permissionFlags(access: Access, platform: PlatformFacts = PLATFORM): string[] {
  const paths = (flag: string, granted: readonly string[]): string[] =>
    patternsOf(granted, platform).map((pattern) => `${flag}=${pattern}`);
  // what runs as WebAssembly may open any folder it is given
  const wasi = access.read.includes('*') && access.write.includes('*');
  return [
    ...(platform.hasFlag('--permission')
      ? ['--permission']
      : ['--experimental-permission', '--disable-warning=ExperimentalWarning']),
    // it warns of each of the following
    '--disable-warning=SecurityWarning',
    ...paths('--allow-fs-read', access.read),
    ...paths('--allow-fs-write', access.write),
    ...(access.childProcess ? ['--allow-child-process'] : []),
    ...(access.worker ? ['--allow-worker'] : []),
    ...(access.addons ? ['--allow-addons'] : []),
    ...(wasi ? ['--allow-wasi'] : []),
    // later Nodes deny the network as well, which no permission of ours is about
    ...(platform.hasFlag('--allow-net') ? ['--allow-net'] : []),
  ];
}

function patternsOf(granted: readonly string[], { kindOf }: PlatformFacts): string[] {
  if (granted.some((file) => file === '*' || file === '/')) return ['*'];
  return outermost(granted.filter((file) => !file.includes('*'))).flatMap((file) => {
    const kind = kindOf(file);
    const below = path.join(file, '*');
    if (kind === 'file') return [file];
    // what is not there yet may become a file, or a folder
    return kind === 'folder' ? [below] : [file, below];
  });
}

function outermost(paths: readonly string[]): string[] {
  return [...new Set(paths)].filter(
    (file) => !paths.some((other) => file !== other && file.startsWith(folderName(other))),
  );
}

function folderName(file: string): string {
  return file.endsWith(path.sep) ? file : file + path.sep;
}
