/** Plugins that are handed a module in TypeScript, each with one from `test/fixtures`. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import type { PluginSpec } from 'troupe';
import { llmPlugin, storagePlugin } from 'troupe/plugins';

import { temporaryFolder } from './files.ts';
import { assemble, guestSpec } from './guests.ts';
import { EAGER_RESTART, fixture } from './manager.ts';
import { replaceFile } from './reloading.ts';

type Isolation = 'thread' | 'process' | 'pool';
type ModuleOptions = Pick<PluginSpec, 'isolation' | 'permissions' | 'reload'>;

export interface ModuleKind {
  name: string;
  /** In `test/fixtures`; beside it lies its `version.ts`. */
  file: string;
  /** What is told of it where it does not compile. */
  called: string;
  spec(module: URL, options: ModuleOptions): PluginSpec | Promise<PluginSpec>;
  isolations: readonly Isolation[];
  /** Calls that the module answers with its version, and with the end of its thread. */
  version: unknown;
  exit: unknown;
}

const GUEST = assemble(`(module
  (import "own" "version" (func $version (result i32)))
  (import "own" "exit" (func $exit))
  (func (export "version") (result i32) (call $version))
  (func (export "exit") (call $exit)))`);

const COMMON = { restart: EAGER_RESTART } as const;

export const BACKEND: ModuleKind = {
  name: 'a storage backend',
  file: 'typescript-backend/backend.ts',
  called: 'its module backend',
  spec: (backend, options) => storagePlugin('own', { ...COMMON, ...options, backend }),
  isolations: ['thread', 'process'],
  version: { op: 'count' },
  exit: { op: 'clear' },
};

export const PROVIDER: ModuleKind = {
  name: 'an LLM provider',
  file: 'typescript-provider/provider.ts',
  called: 'its module provider',
  spec: (provider, options) =>
    llmPlugin('own', { ...COMMON, ...options, provider, model: 'own-1' }),
  isolations: ['thread', 'process'],
  version: 'Which version are you?',
  exit: 'exit',
};

export const HOST_FUNCTIONS: ModuleKind = {
  name: 'a module of host functions',
  file: 'typescript-functions/functions.ts',
  called: 'it',
  async spec(hostFunctions, options) {
    const entry = path.join(await temporaryFolder(), 'guest.wasm');
    await writeFile(entry, GUEST);
    return guestSpec(entry, { id: 'own', ...COMMON, ...options, wasm: { hostFunctions } });
  },
  isolations: ['thread', 'process', 'pool'],
  version: { function: 'version', args: [] },
  exit: { function: 'exit', args: [] },
};

export interface ModuleFiles {
  module: URL;
  /** The module's own text. */
  text: string;
  write(text: string): Promise<void>;
  /** What it answers with from then on, once it is built anew. */
  writeVersion(version: number): Promise<void>;
}

/** A copy of the fixture, to be edited. */
export async function moduleFiles({ file }: ModuleKind): Promise<ModuleFiles> {
  const folder = await temporaryFolder();
  await cp(path.dirname(fileURLToPath(fixture(file))), folder, { recursive: true });
  const module = path.join(folder, path.basename(file));
  return {
    module: pathToFileURL(module),
    text: await readFile(module, 'utf8'),
    write: (text) => replaceFile(module, text),
    writeVersion: (version) =>
      replaceFile(
        path.join(folder, 'version.ts'),
        `export const VERSION: number = ${String(version)};`,
      ),
  };
}
