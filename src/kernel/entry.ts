/**
 * Finds a plugin's code before its thread starts. TypeScript is bundled once by esbuild, packages
 * left out, and cached by what went into it; so a thread starts at plain JavaScript's speed.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import type { Message } from 'esbuild';

import { PluginError } from '../protocol/errors.ts';
import type { PluginPlan } from '../protocol/manifest.ts';
import { MAIN_MODULE, type WasmPlan } from '../protocol/wasm.ts';
import type { PreparedEntry } from '../supervisor/surroundings.ts';
import { shownEntry } from './plan.ts';
import { scriptEngine } from './script-engine.ts';
import { mainFile, readyModule, WasmFileError } from './wasm-modules.ts';

const TYPESCRIPT = /\.[cm]?tsx?$/;

/** @throws PluginError `LOAD_FAILED` for a missing file, a wrong hash, a syntax error. */
export async function prepareEntry(plan: PluginPlan): Promise<PreparedEntry> {
  const { entry, wasm } = plan;
  if (wasm) return prepareWasm(plan, wasm);
  if (entry.protocol !== 'file:') {
    verify(plan, Buffer.from(entry.href));
    return withModules(plan, { href: entry.href, isBundled: false });
  }
  const file = fileURLToPath(entry);
  let source: Buffer;
  try {
    source = await readFile(file);
  } catch (error) {
    throw failed(plan, `its entry ${shownEntry(entry)} cannot be read`, error);
  }
  verify(plan, source);
  if (plan.script) {
    const engine = await scriptEngine(plan.isolation);
    return { entryUrl: entry.href, modules: {}, sourceMaps: false, engine };
  }
  return withModules(plan, await bundled(plan, entry));
}

/** Code as a thread imports it. */
interface Importable {
  href: string;
  isBundled: boolean;
}

async function withModules(plan: PluginPlan, entry: Importable): Promise<PreparedEntry> {
  const modules = await Promise.all(
    Object.entries(plan.modules).map(
      async ([name, url]) => [name, await bundled(plan, url, `its module ${name}`)] as const,
    ),
  );
  return {
    entryUrl: entry.href,
    modules: Object.fromEntries(modules.map(([name, { href }]) => [name, href])),
    sourceMaps: entry.isBundled || modules.some(([, { isBundled }]) => isBundled),
  };
}

async function bundled(plan: PluginPlan, code: URL, what = 'it'): Promise<Importable> {
  const file = code.protocol === 'file:' ? fileURLToPath(code) : '';
  if (!TYPESCRIPT.test(file)) return { href: code.href, isBundled: false };
  try {
    return { href: pathToFileURL(await bundle(file)).href, isBundled: true };
  } catch (error) {
    throw failed(plan, `${what} does not compile: ${problemOf(error)}`, error);
  }
}

async function prepareWasm(plan: PluginPlan, wasm: WasmPlan): Promise<PreparedEntry> {
  const { entry, sha256, isolation } = plan;
  const files = [mainFile(entry, sha256), ...wasm.modules];
  const functions = wasm.hostFunctions && (await bundled(plan, wasm.hostFunctions));
  try {
    const modules = await Promise.all(
      files.map((file) =>
        readyModule({
          file,
          memoryPagesMax: wasm.memoryPagesMax,
          shown:
            file.name === MAIN_MODULE
              ? `its entry ${shownEntry(entry)}`
              : `its module ${file.name}`,
          asBytes: isolation === 'process',
        }),
      ),
    );
    const { function: name, output, wasi, folders, memoryPagesMax, variableBytesMax } = wasm;
    return {
      entryUrl: entry.href,
      modules: {},
      sourceMaps: functions?.isBundled ?? false,
      wasm: {
        modules,
        hostFunctionsUrl: functions?.href,
        function: name,
        output,
        wasi,
        folders,
        memoryPagesMax,
        variableBytesMax,
      },
    };
  } catch (error) {
    if (!(error instanceof WasmFileError)) throw error;
    throw failed(plan, error.message, error.cause);
  }
}

async function bundle(file: string): Promise<string> {
  const { build } = await import('esbuild');
  const folder = cacheFolder(file);
  const result = await build({
    entryPoints: [file],
    bundle: true,
    write: false,
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
    define: { 'import.meta.url': JSON.stringify(pathToFileURL(file).href) },
    alias: { 'troupe/plugin': fileURLToPath(new URL('../plugin.js', import.meta.url)) },
  });
  const [output] = result.outputFiles;
  if (!output) throw new Error('esbuild wrote nothing');
  const hash = createHash('sha256').update(output.contents).digest('hex').slice(0, 32);
  const target = path.join(folder, `${path.parse(file).name}-${hash}.mjs`);
  if (!existsSync(target)) await writeWhole(target, output.contents);
  return target;
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

function verify(plan: PluginPlan, bytes: Buffer): void {
  if (plan.sha256 === undefined) return;
  const actual = createHash('sha256').update(bytes).digest('hex');
  if (actual !== plan.sha256) {
    throw failed(plan, `its entry ${shownEntry(plan.entry)} is not the one its sha256 allows`);
  }
}

function failed(plan: PluginPlan, what: string, cause?: unknown): PluginError {
  const { id } = plan.metadata;
  return new PluginError('LOAD_FAILED', `${id} could not be loaded: ${what}`, {
    pluginId: id,
    data: { step: 'prepare' },
    cause,
  });
}

/** The first of esbuild's complaints: where and what. */
export function problemOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'errors' in error) {
    const [first] = error.errors as Message[];
    if (first) {
      const { file, line, column } = first.location ?? {};
      return file === undefined
        ? first.text
        : `${file}:${String(line)}:${String(column)}: ${first.text}`;
    }
  }
  return error instanceof Error ? error.message : String(error);
}
