/** What an author of scripts is told by the types of `troupe/script`. */
import { execFile } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect, it } from 'vitest';

import type { ScriptCall, ScriptContext } from '../../src/script.d.ts';
import { temporaryFolder } from '../support/files.ts';
import { createManager } from '../support/manager.ts';
import { runScript } from '../support/script.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

async function problemsOf(source: string): Promise<string[]> {
  const config = {
    compilerOptions: {
      target: 'es2023',
      lib: ['es2023'],
      module: 'nodenext',
      allowJs: true,
      checkJs: true,
      strict: true,
      noEmit: true,
      types: ['troupe/script'],
    },
    files: ['script.js'],
  };
  const folder = await temporaryFolder({
    'package.json': '{ "type": "module" }',
    'tsconfig.json': JSON.stringify(config),
    'script.js': source,
  });
  await mkdir(path.join(folder, 'node_modules'));
  await symlink(ROOT, path.join(folder, 'node_modules', 'troupe'), 'dir');
  const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  return new Promise((resolve) => {
    execFile(process.execPath, [tsc, '-p', folder], (_error, stdout) => {
      resolve(stdout.match(/script\.js\(\d+,\d+\): error TS\d+/g) ?? []);
    });
  });
}

it('a script is checked with the names it has, and none of those it has not', async () => {
  const right = `
    export default definePlugin((ctx) => ({
      init: () => ctx.log.info('ready', { limit: ctx.config['limit'] }),
      /** @param {number} n */
      async execute(n, call) {
        call.checkpoint();
        call.progress(0.5);
        if (call.signal.aborted) return ctx.uuid();
        const answer = await ctx.call('other', n, { timeoutMs: 100 });
        return ctx.now() + Number(answer);
      },
      snapshot: () => 1,
    }));`;
  const plain = 'export default { execute: async () => ctx.state.get("key") };';
  const wrong = `
    export default definePlugin((given) => ({
      execute: (input, call) => [process.pid, ctx.shared, ctx.modules, call.isStream, given.call(5)],
    }));`;
  expect(await problemsOf(right)).toEqual([]);
  expect(await problemsOf(plain)).toEqual([]);
  expect((await problemsOf(wrong)).map((problem) => problem.slice(-6))).toEqual([
    'TS2591',
    'TS2339',
    'TS2339',
    'TS2339',
    'TS2345',
  ]);
}, 180_000);

const CONTEXT: Record<keyof ScriptContext, true> = {
  id: true,
  agentId: true,
  generation: true,
  config: true,
  log: true,
  state: true,
  events: true,
  lock: true,
  call: true,
  stream: true,
  exit: true,
  now: true,
  uuid: true,
};

const CALL: Record<keyof ScriptCall, true> = {
  id: true,
  signal: true,
  deadline: true,
  progress: true,
  checkpoint: true,
};

it('every name that the types have is there', async () => {
  const names = await runScript<object, string[][]>(
    createManager(),
    `export default {
      execute: ({ context, used }, call) => [
        context.filter((name) => name in ctx && ctx[name] !== undefined),
        used.filter((name) => name in call),
      ],
    };`,
  );
  const context = Object.keys(CONTEXT);
  const used = Object.keys(CALL);
  expect(await names.execute({ context, used })).toEqual([context, used]);
});
