/** Paths as callers of `filesystem` give them: names below a root, and nothing that leads elsewhere. */
import { ToolError } from '../tool-error.ts';

const PATH_CHARS_MAX = 4_096;
const NAME_BYTES_MAX = 255;

/**
 * The names a path is made of; none for the root itself. A path is refused, not mended: `..`, an
 * absolute path, a backslash, a drive, a control character. `%2e` is three letters.
 *
 * @throws ToolError `FS_PATH_REFUSED`.
 */
export function namesOf(path: string): string[] {
  const refuse = (why: string): never => {
    throw new ToolError('FS_PATH_REFUSED', `the path '${printable(path)}' ${why}`);
  };
  if (path.length > PATH_CHARS_MAX) return refuse('is too long');
  // oxlint-disable-next-line no-control-regex
  if (/[\0-\x1f\x7f]/.test(path)) return refuse('has a control character in it');
  if (path.includes('\\')) return refuse('has a backslash in it; names are parted by /');
  if (path.startsWith('/')) return refuse('is absolute; paths are relative to the root');
  if (/^[a-z]:/i.test(path)) return refuse('begins with a drive');
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  for (const name of names) {
    if (name === '..') return refuse("has '..' in it");
    if (Buffer.byteLength(name) > NAME_BYTES_MAX)
      return refuse('has a name in it that is too long');
  }
  return names;
}

function printable(path: string): string {
  // oxlint-disable-next-line no-control-regex
  return path.slice(0, 200).replaceAll(/[\0-\x1f\x7f]/g, '?');
}
