// Says whether node_modules and dist are up to date, by content. Imports nothing but Node itself.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
export const sourceFolders = ['src', 'workers', 'plugins'];

const stampFile = join(root, 'dist', '.stamp');
const buildInputs = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  '.ci/tsconfig.build.json',
  '.ci/build.mjs',
];

/** True when some package of the lock file is missing from node_modules, or there in another version. */
export function installIsStale() {
  const wanted = packagesIn('package-lock.json');
  const present = packagesIn('node_modules/.package-lock.json');
  return Object.entries(wanted).some(
    ([path, { optional, integrity }]) =>
      path !== '' && !optional && present[path]?.integrity !== integrity,
  );
}

/** True when dist was built from other sources than those in the work tree, or not at all. */
export function buildIsStale() {
  return readText(stampFile) !== sourceHash();
}

/** What `dist/.stamp` holds after a good build. */
export function sourceHash() {
  const hash = createHash('sha256');
  for (const file of [...buildInputs, ...sourceFolders.flatMap(filesBelow)]) {
    hash
      .update(`${file}\0`)
      .update(readText(join(root, file)))
      .update('\0');
  }
  return hash.digest('hex');
}

/** Every file below a folder of the project, as sorted paths with forward slashes. */
export function filesBelow(folder) {
  let entries;
  try {
    entries = readdirSync(join(root, folder), { withFileTypes: true });
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
  return entries
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory() ? filesBelow(path) : [path];
    })
    .toSorted((a, b) => (a < b ? -1 : 1));
}

function packagesIn(lockFile) {
  const text = readText(join(root, lockFile));
  return text === '' ? {} : JSON.parse(text).packages;
}

function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return '';
    throw error;
  }
}
