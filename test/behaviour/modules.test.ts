import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { memoryPlugin, toolPlugin } from 'troupe/plugins';
import { describe, expect, it } from 'vitest';

import { nextEvent } from '../support/events.ts';
import { inline, temporaryFolder } from '../support/files.ts';
import { createManager } from '../support/manager.ts';

const PRICES = new URL('../fixtures/typescript-tools/tools.ts', import.meta.url);

const answering = (answer: number): string => `import { defineTool } from 'troupe/plugin';
  const answer: number = ${String(answer)};
  export default [defineTool({ name: 'answer', description: 'Answers',
    input: { type: 'object' }, execute: (): number => answer })];`;

async function toolsFile(text: string): Promise<{ file: string; tools: URL }> {
  const file = path.join(await temporaryFolder({ 'tools.ts': text }), 'tools.ts');
  return { file, tools: pathToFileURL(file) };
}

describe('a tools module in TypeScript', () => {
  it.each(['thread', 'process', 'pool'] as const)(
    'imports files of its own and packages, in a %s',
    async (isolation) => {
      const manager = createManager();
      const tools = await manager.register(toolPlugin('tools', { tools: PRICES, isolation }));
      await manager.up();
      expect(await tools.call('price', { pieces: 4 })).toEqual({
        ok: true,
        result: { cents: 100 },
      });
    },
  );

  it.each(['thread', 'process'] as const)(
    'is read by a plugin that may read nothing else, in a %s',
    async (isolation) => {
      const manager = createManager();
      const permissions = { fs: { read: [] } };
      const spec = toolPlugin('tools', { tools: PRICES, isolation, permissions });
      const tools = await manager.register(spec);
      await manager.up();
      expect(await tools.call('price', { pieces: 2 })).toEqual({ ok: true, result: { cents: 50 } });
    },
  );

  it('fails the load by file, line and column where it does not compile', async () => {
    const manager = createManager();
    const { tools } = await toolsFile('export default [\n  1 2];');
    await manager.register(toolPlugin('tools', { tools }));
    await expect(manager.load('tools')).rejects.toMatchObject({
      code: 'LOAD_FAILED',
      message: expect.stringMatching(
        /its module tools\.0 does not compile: .*tools\.ts:2:5: /,
      ) as string,
    });
  });

  it('is taken over by a reload', async () => {
    const manager = createManager();
    const { file, tools: url } = await toolsFile(answering(1));
    const tools = await manager.register(toolPlugin('tools', { tools: url }));
    await manager.up();
    await writeFile(file, answering(2));
    expect(await manager.reload('tools')).toMatchObject({ ok: true });
    expect(await tools.call('answer', {})).toEqual({ ok: true, result: 2 });
  });

  it('is watched: a broken edit is refused, and the mended one taken over', async () => {
    const manager = createManager();
    const { file, tools: url } = await toolsFile(answering(1));
    const reload = { watch: true, debounceMs: 20, attempts: 1 };
    const tools = await manager.register(toolPlugin('tools', { tools: url, reload }));
    await manager.up();
    const failed = nextEvent(manager, 'reload-failed');
    await writeFile(file, 'export default [');
    expect((await failed).error.code).toBe('RELOAD_FAILED');
    const completed = nextEvent(manager, 'reload-completed');
    await writeFile(file, answering(3));
    await completed;
    expect(await tools.call('answer', {})).toEqual({ ok: true, result: 3 });
  });
});

describe('modules of a spec', () => {
  it('are the embedder and the tokenizer of a memory, in TypeScript', async () => {
    const manager = createManager();
    const folder = await temporaryFolder({
      'embed.ts':
        'export default (texts: string[]): number[][] => texts.map((t) => [t.length, 1]);',
      'count.ts': 'export default (text: string): number => text.length;',
    });
    const at = (name: string): URL => pathToFileURL(path.join(folder, name));
    const memory = await manager.register(
      memoryPlugin('memory', { embedder: at('embed.ts'), tokenizer: at('count.ts') }),
    );
    await manager.up();
    await memory.add('tea');
    const { hits } = await memory.search('tea');
    expect(hits).toMatchObject([{ text: 'tea' }]);
  });

  it('are given to the plugin by their names', async () => {
    const manager = createManager();
    const rules = inline('export default 7');
    const folder = await temporaryFolder({
      'p.ts': `import { definePlugin } from 'troupe/plugin';
        export default definePlugin((ctx) => ({
          execute: async () => (await import(String(ctx.modules.rules))).default,
        }));`,
    });
    const entry = pathToFileURL(path.join(folder, 'p.ts'));
    const plugin = await manager.register({ id: 'p', type: 'custom', entry, modules: { rules } });
    await manager.up();
    expect(await plugin.execute(undefined)).toBe(7);
  });

  it('lie inside the folder of a plugin.json', async () => {
    const manager = createManager();
    const folder = await temporaryFolder({
      'plugin.json': JSON.stringify({
        id: 'p',
        type: 'custom',
        entry: 'p.mjs',
        modules: { rules: '../rules.mjs' },
      }),
      'p.mjs': 'export default { execute: () => 1 };',
    });
    await expect(manager.register(folder)).rejects.toMatchObject({
      code: 'INVALID_SPEC',
      data: { field: 'modules.rules' },
    });
  });

  it('are of modules only', async () => {
    const manager = createManager();
    const folder = await temporaryFolder({ 's.mjs': 'export default { execute: () => 1 };' });
    const entry = pathToFileURL(path.join(folder, 's.mjs'));
    const modules = { rules: entry };
    await expect(
      manager.register({ id: 's', type: 'custom', host: 'script', entry, modules }),
    ).rejects.toMatchObject({ code: 'INVALID_SPEC', data: { field: 'modules' } });
  });
});
