/** Scripts: what they are, what they have, and how they are loaded. */
import { symlinkSync } from 'node:fs';
import path from 'node:path';

import type { PluginSpec } from 'troupe';
import { describe, expect, it } from 'vitest';

import { eventually } from '../support/eventually.ts';
import { createManager, run } from '../support/manager.ts';
import { failureOf } from '../support/outcomes.ts';
import { runScript, scriptFolder, scriptSpec } from '../support/script.ts';

describe('a script is', () => {
  it.each([
    ['an object with execute', 'export default { execute: (n) => n * n };'],
    ['a function', 'export default (n) => n * n;'],
    ['an async function', 'export default async (n) => n * n;'],
    [
      'what definePlugin returns',
      'export default definePlugin(() => ({ execute: (n) => n * n }));',
    ],
    [
      'the same with an async setup',
      'export default definePlugin(async (given) => ({ execute: (n) => given === ctx && n * n }));',
    ],
    [
      'one that imports definePlugin as other plugins do',
      "import { definePlugin } from 'troupe/plugin';\nexport default definePlugin(() => ({ execute: (n) => n * n }));",
    ],
  ])('%s', async (_, source) => {
    const script = await runScript(createManager(), source);
    expect(await script.execute(7)).toBe(49);
  });

  it('several files of one folder, also imported while it runs', async () => {
    const manager = createManager();
    await manager.register(
      scriptSpec({
        'script.js':
          "import { twice } from './twice.js';\nexport default async (n) => (await import('./thrice.js')).thrice(twice(n));",
        'twice.js': 'export const twice = (n) => n * 2;',
        'thrice.js':
          "import { twice } from './twice.js'; export const thrice = (n) => twice(n) + n;",
      }),
    );
    await manager.up();
    expect(await manager.execute('script', 7)).toBe(42);
  });

  it('alive between calls, with all hooks', async () => {
    const manager = createManager();
    const heard: unknown[] = [];
    manager.context.events.on('hook', ({ data }) => heard.push(data));
    const script = await runScript(
      manager,
      `const said = [];
      const hook = (name) => async () => { said.push(name); await ctx.events.emit('hook', name); };
      export default {
        ...Object.fromEntries(['load', 'init', 'start', 'pause', 'resume', 'stop', 'unload'].map((name) => [name, hook(name)])),
        execute: () => said,
        health: () => ({ healthy: said.length > 2, said: said.length }),
        stats: () => ({ said: said.length }),
      };`,
    );
    expect(await script.execute(undefined)).toEqual(['load', 'init', 'start']);
    expect(await script.health()).toMatchObject({ healthy: true, detail: { said: 3 } });
    expect((await script.stats())?.plugin).toEqual({ said: 3 });
    await script.pause();
    await script.resume();
    await script.unload();
    await eventually(() => {
      expect(heard).toEqual(['load', 'init', 'start', 'pause', 'resume', 'stop', 'unload']);
    });
  });
});

async function load(spec: PluginSpec): Promise<unknown> {
  const manager = createManager();
  await manager.register(spec);
  const error = await failureOf(manager.load(spec.id));
  expect(manager.state(spec.id)).toBe('failed');
  return { code: error.code, message: error.message };
}

describe('a script cannot be loaded', () => {
  it.each([
    [
      'with a syntax error',
      'export default {\n  execute() { return 1 + ; }\n};',
      'script.js:2:26: unex',
    ],
    ['with an unfinished text', 'export default { execute() {', 'script.js:1:'],
    ['that throws at top level', 'throw new RangeError("too early");', 'too early'],
    ['without a default export', 'export const execute = 1;', 'no default export'],
    ['that is no plugin', 'export default 5;', 'is no plugin'],
    ['without execute', 'export default definePlugin(() => ({ init() {} }));', 'has no `execute`'],
    [
      'with a hook that is no function',
      'export default { execute() {}, init: 5 };',
      'init is no fun',
    ],
    ['that imports what is missing', "import './missing.js';", 'no missing.js'],
    ['that imports from outside', "import '../outside.js';", 'of its own folder only'],
    ['that imports by a URL', "import 'file:///etc/hosts';", 'of its own folder only'],
    ['that imports by an absolute path', "import '/etc/hosts';", 'of its own folder only'],
    ['that imports a module of Node', "import 'node:fs';", 'of its own folder only'],
    ['that is too long', `export default 1;//${' '.repeat(4 * 2 ** 20)}`, 'larger than 4194304'],
    ['that imports what is not exported', "import { x } from './other.js';", "'x'"],
  ])('%s', async (_, source, message) => {
    const spec = scriptSpec({ 'script.js': source, 'other.js': 'export const y = 1;' });
    expect(await load(spec)).toEqual({
      code: 'LOAD_FAILED',
      message: expect.stringContaining(message) as unknown,
    });
  });

  it('through a link out of its folder', async () => {
    const outside = scriptFolder({ 'outside.js': 'export default 1;' });
    const folder = scriptFolder({ 'script.js': "import './linked.js';" });
    const linked = path.join(folder, 'linked.js');
    const entry = path.join(folder, 'script.js');
    symlinkSync(path.join(outside, 'outside.js'), linked);
    const spec = { ...scriptSpec({ 'script.js': '' }), entry };
    expect(await load(spec)).toMatchObject({
      code: 'LOAD_FAILED',
      message: expect.stringContaining("a link out of the script's folder") as unknown,
    });
  });

  it('from bytecode, or any bytes that are no text', async () => {
    const bytes = String.fromCharCode(...Array.from({ length: 64 }, (_, i) => (i * 37) % 256));
    expect(await load(scriptSpec({ 'script.js': bytes }))).toMatchObject({ code: 'LOAD_FAILED' });
  });

  it('when it does not come to an end', async () => {
    const spec = {
      ...scriptSpec({ 'script.js': '\nfor (;;);' }),
      limits: { startTimeoutMs: 2_000 },
    };
    expect(await load(spec)).toMatchObject({
      code: 'LOAD_FAILED',
      message: expect.stringContaining('without giving its thread back') as unknown,
    });
  });
});

describe('a spec is refused', () => {
  it.each([
    ['of a script in TypeScript', { entry: '/x/script.ts' }, 'plain JavaScript'],
    [
      'of a script that is a URL of data',
      { entry: 'data:text/javascript,1' },
      'a script is a file',
    ],
    ['with options of a script and another host', { host: 'module' as const, script: {} }, 'host'],
    ['with an option that there is not', { script: { memory: 1 } as object }, 'script.memory'],
    ['with a stack the engine has not', { script: { stackKb: 1_024 } }, 'stackKb'],
  ])('%s', async (_, fields, message) => {
    const spec = { ...scriptSpec({ 'script.js': '' }), ...fields };
    const error = await failureOf(createManager().register(spec));
    expect(error.code).toBe('INVALID_SPEC');
    expect(error.message).toContain(message);
  });
});

describe('a script has', () => {
  it('ctx, with all it needs of the world, and no more', async () => {
    const manager = createManager('agent');
    const script = await runScript(
      manager,
      'export default () => ({ id: ctx.id, agentId: ctx.agentId, generation: ctx.generation, config: ctx.config, names: Object.keys(ctx), age: Date.now() - ctx.now(), uuid: ctx.uuid() });',
      { config: { limit: 5, when: new Date(0) } },
    );
    expect(await script.execute(undefined)).toEqual({
      id: 'script',
      agentId: 'agent',
      generation: 1,
      config: { limit: 5, when: new Date(0) },
      names: [
        'id',
        'agentId',
        'generation',
        'config',
        'log',
        'state',
        'events',
        'lock',
        'call',
        'stream',
        'now',
        'uuid',
        'exit',
      ],
      age: expect.closeTo(0, -2) as unknown,
      uuid: expect.stringMatching(/^[\da-f-]{36}$/) as unknown,
    });
  });

  it('shared state, events and locks', async () => {
    const manager = createManager();
    await manager.context.state.set('n', 1n);
    const script = await runScript(
      manager,
      `let heard = [];
      const off = ctx.events.on('topic', ({ data, from }) => { heard.push([data, from]); });
      export default async (what) => {
        if (what === 'heard') return heard;
        if (what === 'off') return off();
        await ctx.state.set('own', new Map([[1, 2]]));
        const seen = [];
        for await (const value of ctx.state.watch('n')) { seen.push(value); break; }
        return {
          updated: await ctx.state.update('n', (n) => n + 1n),
          refused: await ctx.state.update('n', async (n) => n).catch((error) => error.message),
          own: await ctx.state.get('own'),
          keys: await ctx.state.keys(),
          deleted: [await ctx.state.delete('own'), await ctx.state.delete('own')],
          seen,
          locked: await ctx.lock('name', () => ctx.lock('other', () => () => 1)).then((f) => f()),
          failed: await ctx.lock('name', () => { throw new TypeError('inside'); }).catch((error) => error.message),
        };
      };`,
    );
    expect(await script.execute(undefined)).toEqual({
      updated: 2n,
      refused: expect.stringContaining('must not be async') as unknown,
      own: new Map([[1, 2]]),
      keys: ['n', 'own'],
      deleted: [true, false],
      seen: [1n],
      locked: 1,
      failed: 'inside',
    });
    await manager.context.events.emit('topic', { a: 1 });
    await eventually(async () => {
      expect(await script.execute('heard')).toEqual([[{ a: 1 }, expect.any(String)]]);
    });
    await script.execute('off');
    await manager.context.events.emit('topic', 2);
    expect(await script.execute('heard')).toHaveLength(1);
  });

  it('its call: id, deadline, progress, checkpoint and signal', async () => {
    const manager = createManager();
    const progress: unknown[] = [];
    manager.on('progress', ({ fraction, note }) => progress.push([fraction, note]));
    const script = await runScript(
      manager,
      `export default async (what, call) => {
        call.progress(0.5, 'half');
        call.checkpoint();
        return { id: call.id, left: call.deadline - Date.now(), aborted: call.signal.aborted };
      };`,
    );
    expect(await script.execute(0, { timeoutMs: 5_000 })).toEqual({
      id: 'script-1-1',
      left: expect.toSatisfy((left: number) => left > 0 && left <= 5_001) as unknown,
      aborted: false,
    });
    await eventually(() => {
      expect(progress).toEqual([[0.5, 'half']]);
    });
  });

  it('errors of other plugins, with name, code and cause', async () => {
    const manager = createManager();
    const script = await runScript(
      manager,
      `export default (id) => ctx.call(id).catch((error) => ({ name: error.name, code: error.code, cause: error.cause?.message, is: error instanceof Error }));`,
    );
    await run(manager, 'assistant.mjs', { id: 'assistant' });
    expect(await script.execute('nobody')).toEqual({
      name: 'PluginError',
      code: 'NOT_FOUND',
      is: true,
    });
    expect(await script.execute('assistant')).toMatchObject({ code: 'CALL_FAILED', is: true });
  });

  it('positions of its own in the errors it throws', async () => {
    const script = await runScript(
      createManager(),
      `const inner = () => {\n  throw Object.assign(new RangeError('no'), { code: 'E_NO', cause: new TypeError('why') });\n};\nexport default { execute: () => inner() };`,
    );
    const error = await failureOf(script.execute(undefined));
    expect(error).toMatchObject({
      code: 'CALL_FAILED',
      cause: { name: 'RangeError', message: 'no', code: 'E_NO', cause: { message: 'why' } },
    });
    const { stack } = error.cause as Error;
    expect(stack?.split('\n').slice(0, 3)).toEqual([
      'RangeError: no',
      expect.stringMatching(/^\s+at inner \(script\.js:2:\d+\)$/),
      expect.stringMatching(/^\s+at execute \(script\.js:4:\d+\)$/),
    ]);
    expect(stack).not.toMatch(/troupe:guest|\/tmp/);
  });
});

it.each(['thread', 'process'] as const)('a restricted script runs in a %s', async (isolation) => {
  const script = await runScript(createManager(), 'export default (n) => n * 2;', {
    isolation,
    permissions: { fs: {} },
  });
  expect(await script.execute(21)).toBe(42);
});

describe('in a pool', () => {
  it('each thread has a VM of its own', async () => {
    // each of two calls waits for the other, so they are in two threads
    const script = await runScript(
      createManager(),
      `let n = 0;
      export default async () => {
        n++;
        await ctx.state.update('met', (met = 0) => met + 1);
        for await (const met of ctx.state.watch('met')) if (met === 2) return n;
      };`,
      { isolation: 'pool', threads: 2 },
    );
    const calls = [script.execute(undefined), script.execute(undefined)];
    expect(await Promise.all(calls)).toEqual([1, 1]);
  });

  it('a script with state to carry is refused', async () => {
    const spec = scriptSpec({ 'script.js': 'export default { execute() {}, snapshot() {} };' });
    const manager = createManager();
    await manager.register({ ...spec, isolation: 'pool' });
    const error = await failureOf(manager.load('script'));
    expect(error.message).toContain('a pool keeps no state');
  });
});
