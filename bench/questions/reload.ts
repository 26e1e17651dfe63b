/** How long from a saved file to the first answer of the new version? */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { PluginManager, type PluginSpec } from 'troupe';

import { ECHO } from '../contenders/contender.ts';
import { troupe } from '../contenders/troupe.ts';
import type { Question } from '../question.ts';
import { bootMs } from '../support/load.ts';
import { fresh, inRounds, type Entrant } from '../support/rounds.ts';

const GROUP = 'saved to answered';
const START = 'a start';

/** What serves meanwhile is asked this often, so the answer is late by no more (ms). */
const ASK_MS = 1;

export const reload: Question = {
  name: 'reload',
  title: 'How long from a saved file to the first answer of the new version?',
  about:
    'A file is replaced while its plugin is called, one call after the other. By `reload(id)`, called as soon as the file is there, for a module, a TypeScript plugin and a script; and by watching, with a debounce of 50 ms (the default is 200). The first row is the start of a manager with one plugin, to its first answer.',
  unit: 'ms',
  better: 'lower',
  base: START,
  scale: 'own',
  targets: [],
  ask: ({ quick, ...options }) => {
    const entrants: Entrant[] = [
      fresh({ name: START, settings: 'no thread in reserve' }, async () => ({
        [GROUP]: await bootMs(troupe, ECHO),
      })),
      reloading('module', 'reload(id)', 'mjs', {}),
      reloading('TypeScript', 'reload(id), bundled by esbuild', 'ts', {}),
      reloading('script', "reload(id), host: 'script'", 'js', { host: 'script' }),
      reloading('module, watched', 'debounceMs: 50', 'mjs', {
        reload: { watch: true, debounceMs: 50, cooldownMs: 0 },
      }),
    ];
    return inRounds(entrants, { rounds: quick ? 3 : 15, ...options });
  },
};

function reloading(
  contender: string,
  settings: string,
  ending: string,
  spec: Partial<PluginSpec>,
): Entrant {
  return {
    contender,
    settings,
    async start() {
      const folder = await mkdtemp(path.join(os.tmpdir(), 'troupe-bench-'));
      const entry = path.join(folder, `plugin.${ending}`);
      let version = 0;
      // as editors do: the new file takes the old one's place in one step
      const save = async (): Promise<void> => {
        version++;
        await writeFile(`${entry}.new`, `export default () => ${String(version)};\n`);
        await rename(`${entry}.new`, entry);
      };
      await save();
      const manager = new PluginManager('bench', { logs: 'silent' });
      const plugin = await manager.register({
        id: 'changing',
        type: 'custom',
        entry,
        ...spec,
      });
      await manager.up();
      return {
        async measure() {
          const startedAt = performance.now();
          await save();
          const done = spec.reload ? undefined : plugin.reload();
          while ((await plugin.execute(0)) !== version) {
            await new Promise((resolve) => setTimeout(resolve, ASK_MS));
          }
          const took = performance.now() - startedAt;
          await done;
          return { [GROUP]: took };
        },
        async stop() {
          await manager.close();
          await rm(folder, { recursive: true, force: true });
        },
      };
    },
  };
}
