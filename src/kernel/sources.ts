/**
 * The files that a plugin is made of: its manifest, its entry and modules, and what these import
 * from files of their own, packages left out. And a hash of what is in them.
 */
import { createHash } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Metafile, Plugin } from 'esbuild';

import type { PluginPlan } from '../protocol/manifest.ts';
import { problemOf } from './bundle.ts';

export interface Sources {
  /** Absolute, sorted. One that is imported and not there is among them. */
  readonly files: readonly string[];
  readonly hash: string;
  /** False: its imports could not be followed, so there may be more files. */
  readonly isWhole: boolean;
}

const SOURCE = /\.[cm]?[jt]sx?$/;

/** @param manifest the path of its plugin.json, where it has one. */
export async function sourcesOf(plan: PluginPlan, manifest?: string): Promise<Sources> {
  const own = manifest === undefined ? [] : [manifest];
  const code = filesOf([plan.entry, ...Object.values(plan.modules), plan.wasm?.hostFunctions]);
  const imports = await Promise.all(code.filter(isSource).map(importsOf));
  const files = [
    ...own,
    ...code,
    ...filesOf((plan.wasm?.modules ?? []).map(({ url }) => url)),
    ...imports.flatMap((each) => each.files),
  ];
  return hashed(
    files,
    imports.every(({ isWhole }) => isWhole),
  );
}

function filesOf(urls: readonly (URL | undefined)[]): string[] {
  return urls.flatMap((url) => (url?.protocol === 'file:' ? fileURLToPath(url) : []));
}

function isSource(file: string): boolean {
  return SOURCE.test(file);
}

/** What is wrong with the source, with file, line and column; `undefined`: nothing that can be said. */
export async function sourceProblem(entry: string): Promise<string | undefined> {
  try {
    await follow(entry);
    return undefined;
  } catch (error) {
    return problemOf(error);
  }
}

/** Of a broken source, what could be found. */
async function importsOf(entry: string): Promise<Pick<Sources, 'files' | 'isWhole'>> {
  const missing: string[] = [];
  try {
    const { metafile } = await follow(entry, [withoutMissing(missing)]);
    const inputs = Object.keys(metafile.inputs);
    const files = inputs.map((file) => path.resolve(path.dirname(entry), file));
    return { files: [...files, ...missing], isWhole: missing.length === 0 };
  } catch {
    return { files: missing, isWhole: false };
  }
}

/** Files of its own that a source imports and that are not there yet are noted, and left out. */
function withoutMissing(missing: string[]): Plugin {
  return {
    name: 'without-missing',
    setup(build) {
      build.onResolve({ filter: /^\.\.?\// }, async (request) => {
        if (request.pluginData === missing) return undefined;
        const { path: specifier, importer, namespace, resolveDir, kind } = request;
        const from = { importer, namespace, resolveDir, kind, pluginData: missing };
        const { errors } = await build.resolve(specifier, from);
        if (errors.length === 0) return undefined;
        missing.push(path.resolve(resolveDir, specifier));
        return { path: specifier, external: true };
      });
    },
  };
}

/** Paths are told as seen from the entry's folder. */
async function follow(entry: string, plugins: Plugin[] = []): Promise<{ metafile: Metafile }> {
  const { build } = await import('esbuild');
  const folder = path.dirname(entry);
  return build({
    entryPoints: [entry],
    plugins,
    absWorkingDir: folder,
    outdir: folder,
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'silent',
    loader: { '.node': 'empty', '.wasm': 'empty', '.txt': 'text' },
  });
}

async function hashed(files: string[], isWhole: boolean): Promise<Sources> {
  const real = await Promise.all(files.map((file) => realpath(file).catch(() => file)));
  const all = [...new Set([...files, ...real])].toSorted();
  const hash = createHash('sha256');
  for (const file of all) {
    const content = await readFile(file).catch(() => undefined);
    hash.update(`${file}\0${content === undefined ? 'gone' : String(content.byteLength)}\0`);
    if (content) hash.update(content);
  }
  return { files: all, hash: hash.digest('hex'), isWhole };
}
