/** From what stands on the command line to the spec of the plugin that is measured. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';

import type { PathSpec, PluginSpec } from '../../index.ts';
import { usageError } from '../cli-error.ts';
import type { Isolation } from './options.ts';
import { parseJson } from './parse-inputs.ts';

const MANIFEST_FILE = 'plugin.json';
const ENTRY = /\.([cm]?[jt]s|wasm)$/;

export interface Overrides {
  isolation?: Isolation | undefined;
  concurrency?: number | undefined;
  /** A file, or JSON. */
  config?: string | undefined;
}

export interface Target {
  spec: PluginSpec;
  /** Of the entry; `undefined` where it cannot be read, which loading it will say better. */
  sha256: string | undefined;
}

/** @throws CliError, or the PluginError of a manifest that is not valid. */
export async function readTarget(location: string, overrides: Overrides = {}): Promise<Target> {
  const found = await stat(location).catch(() => undefined);
  if (!found) throw usageError(`no such file or folder: ${location}`);
  const folder = found.isDirectory() ? location : path.dirname(location);
  const isManifest = found.isDirectory() || path.basename(location) === MANIFEST_FILE;
  const spec = isManifest ? await specOfFolder(folder) : specOfEntry(location);
  const { isolation = spec.isolation, concurrency = spec.concurrency, config } = overrides;
  if (isolation === 'pool' && concurrency !== undefined && concurrency > 1) {
    const remedy = 'leave --concurrency at 1, and say with --threads how many there are';
    throw usageError(`a thread of a pool is inside one call at a time: ${remedy}`);
  }
  const target: PluginSpec = {
    ...spec,
    enabled: true,
    autoStart: true,
    isolation,
    concurrency,
    config: config === undefined ? spec.config : { ...spec.config, ...(await readConfig(config)) },
  };
  return { spec: target, sha256: await hashOf(spec.entry) };
}

function specOfEntry(file: string): PluginSpec {
  if (!ENTRY.test(file)) {
    const known = 'a .js, .mjs, .cjs or .ts file, a folder with a plugin.json, or that plugin.json';
    throw usageError(`${file} is no plugin: give ${known}`);
  }
  const name = path.basename(file).replace(ENTRY, '');
  const id = name
    .replaceAll(/[^\w.:-]/g, '_')
    .replace(/^[^a-z\d_]/i, '_')
    .slice(0, 100);
  return { id: id || 'plugin', type: 'custom', entry: path.resolve(file) };
}

/** The kernel judges the manifest; then it becomes a spec that no longer depends on its folder. */
async function specOfFolder(folder: string): Promise<PluginSpec> {
  const file = path.join(folder, MANIFEST_FILE);
  const text = await readFile(file, 'utf8').catch(() => {
    throw usageError(
      `${folder} has no ${MANIFEST_FILE}: give a plugin's file, or a folder with one`,
    );
  });
  const { PluginManager } = await import('../../index.ts');
  await new PluginManager('troupe-bench', { logs: 'silent' }).register(folder);
  const spec = withoutSchema(parseJson(text, file));
  if (!isSpec(spec)) throw usageError(`${file} is not the manifest of a plugin`);
  const { entry, permissions } = spec;
  const { read, write } = permissions?.fs ?? {};
  const fs = { read: read?.map(absolute), write: write?.map(absolute) };
  return {
    ...spec,
    entry:
      typeof entry === 'object' && 'path' in entry
        ? { ...entry, path: inFolder(entry.path) }
        : inFolder(entry),
    ...(permissions && { permissions: { ...permissions, ...(permissions.fs && { fs }) } }),
  };

  function inFolder(location: string | URL): string {
    return path.resolve(folder, String(location));
  }

  function absolute(location: PathSpec): PathSpec {
    return location === '*' || location instanceof URL || location.startsWith('file:')
      ? location
      : inFolder(location);
  }
}

/** For editors: a manifest may have it, a spec may not. */
function withoutSchema(manifest: unknown): unknown {
  if (!isRecord(manifest)) return manifest;
  const { $schema: _, ...spec } = manifest;
  return spec;
}

/** Of a value that the kernel took as a spec. */
function isSpec(value: unknown): value is PluginSpec {
  return typeof value === 'object' && value !== null && 'id' in value && 'entry' in value;
}

async function readConfig(text: string): Promise<Record<string, unknown>> {
  const isJson = text.trimStart().startsWith('{');
  const json = isJson
    ? text
    : await readFile(text, 'utf8').catch((error: unknown) => {
        throw usageError(
          `--config ${text}: neither a JSON object nor a file that can be read`,
          error,
        );
      });
  const config = parseJson(json, isJson ? '--config' : text);
  if (isRecord(config)) return config;
  throw usageError('--config: a JSON object is needed, as {"limit": 10}');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function hashOf(entry: PluginSpec['entry']): Promise<string | undefined> {
  const location = typeof entry === 'object' && 'path' in entry ? entry.path : entry;
  const bytes = await readFile(location).catch(() => undefined);
  return bytes && createHash('sha256').update(bytes).digest('hex');
}
