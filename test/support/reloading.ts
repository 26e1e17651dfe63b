/** Plugins whose files change under them, and callers that go on meanwhile. */
import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

import type { PluginHandle, PluginManager, PluginSpec } from 'troupe';
import { onTestFinished } from 'vitest';

import { temporaryFolder } from './files.ts';
import { ISOLATION } from './isolation.ts';
import { SHORT_LIMITS } from './manager.ts';

/** Counts its calls, and carries the count over; `version` is what it answers beside it. */
export function counting(version: number | string, hooks = ''): string {
  return `
    export default {
      execute: (input) => ({ version: ${JSON.stringify(version)}, count: ++count, input }),
      snapshot: () => count,
      restore: (saved) => { count = saved; },
      ${hooks}
    };
    let count = 0;
  `;
}

export interface Counted {
  version: number | string;
  count: number;
  input: unknown;
}

export interface Changing {
  folder: string;
  /** What its plugin.json holds. */
  manifest: object;
  plugin: PluginHandle<unknown, Counted>;
  /** Writes a file of the plugin anew: whole, under its name, at once. */
  write(text: string, file?: string): Promise<void>;
}

/** A running plugin in a folder of its own, with these other files. */
export async function changing(
  manager: PluginManager,
  source = counting(1),
  options: Partial<PluginSpec> & { file?: string; files?: Record<string, string> } = {},
): Promise<Changing> {
  const { file = 'plugin.mjs', files, ...spec } = options;
  const manifest = {
    id: 'changing',
    type: 'tool',
    entry: file,
    isolation: ISOLATION === 'pool' ? 'thread' : ISOLATION,
    limits: SHORT_LIMITS,
    ...spec,
    reload: { attempts: 1, ...spec.reload },
  };
  const folder = await temporaryFolder({
    ...files,
    'plugin.json': JSON.stringify(manifest),
    [file]: source,
  });
  await manager.register(folder);
  const plugin = manager.plugin<unknown, Counted>(manifest.id);
  await plugin.load();
  await plugin.init();
  await plugin.start();
  return {
    folder,
    manifest,
    plugin,
    write: (text, name = file) => replaceFile(path.join(folder, name), text),
  };
}

/** As editors do: the file appears whole or not at all. */
export async function replaceFile(file: string, text: string): Promise<void> {
  const draft = `${file}.draft`;
  await writeFile(draft, text);
  await rename(draft, file);
}

export interface Caller {
  /** In the order they were asked for. */
  readonly answers: Promise<Counted>[];
  /** No more calls; settles with all answers. Rejects with the first that failed. */
  stop(): Promise<Counted[]>;
}

/** Calls without a pause, so many at a time. */
export function callOn(plugin: PluginHandle<unknown, Counted>, atOnce = 4): Caller {
  const answers: Promise<Counted>[] = [];
  const work = { isOver: false };
  // a plugin that is gone refuses at once, for ever
  onTestFinished(() => {
    work.isOver = true;
  });
  const go = async (): Promise<void> => {
    while (!work.isOver) {
      const answer = plugin.execute(answers.length);
      answers.push(answer);
      await answer.catch(() => undefined);
    }
  };
  const callers = Array.from({ length: atOnce }, go);
  return {
    answers,
    async stop() {
      work.isOver = true;
      await Promise.all(callers);
      return Promise.all(answers);
    },
  };
}
