/** Scripts for tests: in files of `test/fixtures/scripts`, or written for one test. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import type { PluginHandle, PluginManager, PluginSpec } from 'troupe';
import { onTestFinished } from 'vitest';

import { ISOLATION } from './isolation.ts';
import { EAGER_RESTART, SHORT_LIMITS } from './manager.ts';

export type ScriptSpec = Partial<PluginSpec>;

/** Registers a script of the fixtures and brings it to `running`. */
export function runFixture<I = unknown, O = unknown>(
  manager: PluginManager,
  name: string,
  spec: ScriptSpec = {},
): Promise<PluginHandle<I, O>> {
  const entry = new URL(`../fixtures/scripts/${name}`, import.meta.url);
  return bringUp(manager, { id: path.parse(name).name, type: 'tool', entry, ...spec });
}

/** The same with a script of this text. */
export function runScript<I = unknown, O = unknown>(
  manager: PluginManager,
  source: string,
  spec: ScriptSpec = {},
): Promise<PluginHandle<I, O>> {
  return bringUp(manager, { ...scriptSpec({ 'script.js': source }), ...spec });
}

/** A spec of `script.js`, which has these files beside it until the test is over. */
export function scriptSpec(files: Readonly<Record<string, string>>): PluginSpec {
  const entry = path.join(scriptFolder(files), 'script.js');
  return { id: 'script', type: 'tool', host: 'script', isolation: ISOLATION, entry };
}

export function scriptFolder(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'troupe-script-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  for (const [name, source] of Object.entries(files)) {
    writeFileSync(path.join(folder, name), source);
  }
  return folder;
}

async function bringUp<I, O>(
  manager: PluginManager,
  { limits, restart, ...spec }: PluginSpec,
): Promise<PluginHandle<I, O>> {
  const { id } = await manager.register({
    host: 'script',
    isolation: ISOLATION,
    ...spec,
    restart: spec.isolation === 'pool' ? restart : { ...EAGER_RESTART, ...restart },
    limits: { ...SHORT_LIMITS, ...limits },
  });
  const handle = manager.plugin<I, O>(id);
  await handle.load();
  await handle.init();
  await handle.start();
  return handle;
}
