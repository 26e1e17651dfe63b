/**
 * Bundles a plugin's module with what it imports from files of its own, packages left out, into a
 * cache where the content is the name.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import type { Message, Metafile } from 'esbuild';

import type { KeptCode } from '../protocol/kept-code.ts';

/** @returns its URL. @throws what {@link problemOf} makes a text of. */
export async function bundle(file: string): Promise<string> {
  const { href } = await bundled(file);
  return href;
}

/**
 * What the files of a module hold now, for as long as it is the version that serves. `undefined`
 * where that is not all ES modules, or cannot be bundled: such a file is imported as it is.
 */
export async function keepCode(file: string): Promise<KeptCode | undefined> {
  try {
    const { href, inputs } = await bundled(file);
    const formats = new Set(Object.values(inputs).map(({ format }) => format));
    if (!formats.has('esm') || formats.has('cjs')) return undefined;
    const files = Object.keys(inputs).map((input) => path.resolve(input));
    const hashes = files.map(async (each) => [each, sha256(await readFile(each))] as const);
    return { href, files: Object.fromEntries(await Promise.all(hashes)) };
  } catch {
    return undefined;
  }
}

async function bundled(file: string): Promise<{ href: string; inputs: Metafile['inputs'] }> {
  const { build } = await import('esbuild');
  const folder = cacheFolder(file);
  const { href } = pathToFileURL(file);
  const result = await build({
    entryPoints: [file],
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    sourcemap: 'inline',
    sourcesContent: false,
    logLevel: 'silent',
    // where it is written to: the source map names its sources from there
    outdir: folder,
    // what a plugin reads beside its source is found there, not beside the bundle
    define: {
      'import.meta.url': JSON.stringify(href),
      'import.meta.filename': JSON.stringify(file),
      'import.meta.dirname': JSON.stringify(path.dirname(file)),
    },
    alias: { 'troupe/plugin': fileURLToPath(new URL('../plugin.js', import.meta.url)) },
  });
  const [output] = result.outputFiles;
  if (!output) throw new Error('esbuild wrote nothing');
  const hash = sha256(output.contents).slice(0, 32);
  const target = path.join(folder, `${path.parse(file).name}-${hash}.mjs`);
  if (!existsSync(target)) await writeWhole(target, output.contents);
  return { href: pathToFileURL(target).href, inputs: result.metafile.inputs };
}

/** Another thread or process may read it at any time: it appears whole or not at all. */
async function writeWhole(target: string, contents: Uint8Array): Promise<void> {
  await mkdir(path.dirname(target), { recursive: true });
  const draft = `${target}.${String(process.pid)}-${Math.random().toString(36).slice(2)}`;
  await writeFile(draft, contents);
  await rename(draft, target);
}

/** Below the nearest node_modules, so that the packages a plugin imports are found from there. */
function cacheFolder(file: string): string {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const modules = path.join(folder, 'node_modules');
    if (existsSync(modules)) return path.join(modules, '.cache', 'troupe');
    if (path.dirname(folder) === folder) break;
  }
  return path.join(os.tmpdir(), `troupe-cache-${String(process.getuid?.() ?? 'user')}`);
}

/** The first of esbuild's complaints: where and what, with columns from 1, as editors and engines count. */
export function problemOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'errors' in error) {
    const [first] = error.errors as Message[];
    if (first) {
      const { location, text } = first;
      if (!location) return text;
      const { file, line, column } = location;
      return `${file}:${String(line)}:${String(column + 1)}: ${text}`;
    }
  }
  return error instanceof Error ? error.message : String(error);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
