/** Reads plugin.json files: of one folder, or of every folder below one. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { PluginError } from '../protocol/errors.ts';
import type { PluginPlan, PluginSpec } from '../protocol/manifest.ts';
import { planOf } from './plan.ts';
import { checkSpec } from './spec-schema.ts';

/** The folder a plugin came from. */
export interface PlanOrigin {
  folder: string;
  /** What its plugin.json says now. */
  read(): Promise<PluginPlan>;
}

export const MANIFEST_FILE = 'plugin.json';

export function folderPath(folder: string | URL): string {
  return path.resolve(folder instanceof URL ? fileURLToPath(folder) : folder);
}

/** @throws PluginError `INVALID_SPEC` that names the file and what is wrong with it. */
export async function readManifest(folder: string): Promise<PluginPlan> {
  const shown = path.join(path.basename(folder), MANIFEST_FILE);
  let text: string;
  try {
    text = await readFile(path.join(folder, MANIFEST_FILE), 'utf8');
  } catch (error) {
    throw new PluginError(
      'INVALID_SPEC',
      `${shown} cannot be read; a plugin's folder has a ${MANIFEST_FILE}`,
      {
        cause: error,
      },
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new PluginError('INVALID_SPEC', `${shown} is not JSON: ${String(error)}`, {
      cause: error,
    });
  }
  try {
    const spec: PluginSpec = checkSpec(json, 'manifest');
    return planOf(spec, folder);
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    throw new PluginError(error.code, `${shown}: ${error.message}`, {
      pluginId: error.pluginId,
      data: error.data,
    });
  }
}

/** A plugin's folder, to be looked at again. */
export function originOf(folder: string): PlanOrigin {
  return { folder, read: () => readManifest(folder) };
}

/** The folders directly below that have a plugin.json, by name. */
export async function pluginFolders(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true });
  const folders = entries
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map((entry) => path.join(root, entry.name))
    .toSorted();
  const found = await Promise.all(
    folders.map(async (folder) => {
      const names = await readdir(folder).catch((): string[] => []);
      return names.includes(MANIFEST_FILE) ? [folder] : [];
    }),
  );
  return found.flat();
}
