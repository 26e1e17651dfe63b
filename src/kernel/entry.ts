/**
 * Finds a plugin's code before its thread starts. TypeScript is bundled, so a thread starts at plain
 * JavaScript's speed; of JavaScript that is watched, a bundle is kept for a later life.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { PluginError } from '../protocol/errors.ts';
import type { KeptCode, KeptModules } from '../protocol/kept-code.ts';
import type { PluginPlan } from '../protocol/manifest.ts';
import { MAIN_MODULE, type WasmPlan } from '../protocol/wasm.ts';
import type { PreparedEntry } from '../supervisor/surroundings.ts';
import { bundle, keepCode, problemOf } from './bundle.ts';
import { shownEntry } from './plan.ts';
import { scriptEngine } from './script-engine.ts';
import { mainFile, readyModule, WasmFileError } from './wasm-modules.ts';

const TYPESCRIPT = /\.[cm]?tsx?$/;
const MODULE = /\.m?jsx?$/;

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
  kept?: KeptCode | undefined;
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
    kept: keptOf([entry, ...modules.map(([, module]) => module)]),
  };
}

function keptOf(modules: readonly (Importable | undefined)[]): KeptModules {
  return Object.fromEntries(
    modules.flatMap((module) => (module?.kept ? [[module.href, module.kept]] : [])),
  );
}

async function bundled(plan: PluginPlan, code: URL, what = 'it'): Promise<Importable> {
  const file = code.protocol === 'file:' ? fileURLToPath(code) : '';
  if (!TYPESCRIPT.test(file)) {
    const kept = plan.reload.watch && MODULE.test(file) ? await keepCode(file) : undefined;
    return { href: code.href, isBundled: false, kept };
  }
  try {
    return { href: await bundle(file), isBundled: true };
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
      kept: keptOf([functions]),
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
