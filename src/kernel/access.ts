/** From the permissions of a spec to what the plugin may do, with absolute paths. */
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

import { PluginError } from '../protocol/errors.ts';
import type { Access, PathSpec, PluginSpec } from '../protocol/manifest.ts';

/**
 * @param folder of the plugin.json the spec came from; without it, the embedding program gave it.
 * @returns `undefined` for a plugin that is not restricted.
 */
export function accessOf(
  { id, permissions = {} }: PluginSpec,
  entry: URL,
  folder?: string,
): Access | undefined {
  const { fs, childProcess, worker, addons } = permissions;
  if ([fs, childProcess, worker, addons].every((given) => given === undefined)) return undefined;
  const resolve = (paths: readonly PathSpec[] = []): string[] =>
    paths.map((spec) => absolute(id, spec, folder ?? process.cwd()));
  return {
    read: [...ownFolder(id, entry, folder), ...resolve(fs?.read)],
    write: resolve(fs?.write),
    childProcess: childProcess ?? false,
    worker: worker ?? false,
    addons: addons ?? false,
  };
}

/** Its code, and what lies beside it. */
function ownFolder(id: string, entry: URL, folder: string | undefined): string[] {
  if (folder !== undefined) return [withoutStar(id, path.resolve(folder))];
  return entry.protocol === 'file:' ? [withoutStar(id, path.dirname(fileURLToPath(entry)))] : [];
}

function absolute(id: string, spec: PathSpec, base: string): string {
  if (spec === '*') return spec;
  if (spec instanceof URL || /^file:/i.test(spec)) return withoutStar(id, fromUrl(id, spec));
  return withoutStar(id, path.resolve(base, spec));
}

function fromUrl(id: string, url: PathSpec): string {
  try {
    return path.resolve(fileURLToPath(url));
  } catch (error) {
    throw invalid(id, `${JSON.stringify(String(url))} is no file: URL`, error);
  }
}

/** Node's permission model takes a star anywhere in a path for a wildcard. */
function withoutStar(id: string, file: string): string {
  if (!file.includes('*')) return file;
  throw invalid(id, `${JSON.stringify(path.basename(file))} lies in a path with a * in it`);
}

function invalid(id: string, what: string, cause?: unknown): PluginError {
  return new PluginError('INVALID_SPEC', `the spec of ${id} is not valid: "permissions": ${what}`, {
    pluginId: id,
    data: { field: 'permissions' },
    cause,
  });
}
