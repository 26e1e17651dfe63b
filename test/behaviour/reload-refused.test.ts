import { describe, expect, it } from 'vitest';

import { eventsOf, recordEvents, recordStates } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { createManager } from '../support/manager.ts';
import { callOn, changing, counting } from '../support/reloading.ts';

const SHORT = { limits: { startTimeoutMs: 600, hookTimeoutMs: 600, healthTimeoutMs: 300 } };

interface Refusal {
  what: string;
  source: string;
  /** The code of the cause, and a part of what it says. */
  code: string;
  says: string;
}

const REFUSALS: Refusal[] = [
  {
    what: 'has a syntax error',
    source: 'export default {',
    code: 'LOAD_FAILED',
    says: 'could not be loaded',
  },
  { what: 'exports nothing', source: 'let x = 1;', code: 'LOAD_FAILED', says: 'no default export' },
  {
    what: 'has no execute',
    source: 'export default { init() {} };',
    code: 'LOAD_FAILED',
    says: 'execute',
  },
  {
    what: 'fails in load',
    source: counting(2, `load() { throw new Error('no load'); },`),
    code: 'LOAD_FAILED',
    says: 'no load',
  },
  {
    what: 'fails in init',
    source: counting(2, `init() { throw new Error('no database'); },`),
    code: 'INIT_FAILED',
    says: 'no database',
  },
  {
    what: 'fails in start',
    source: counting(2, `start() { throw new Error('no start'); },`),
    code: 'START_FAILED',
    says: 'no start',
  },
  {
    what: 'is not healthy',
    source: counting(2, `health: () => ({ healthy: false }),`),
    code: 'START_FAILED',
    says: 'not healthy',
  },
  {
    what: 'hangs at top level',
    source: `await new Promise((resolve) => setTimeout(resolve, 1e6)); export default () => 1;`,
    code: 'START_TIMEOUT',
    says: 'top level',
  },
  {
    what: 'hangs in a loop in init',
    source: counting(2, `init() { for (;;); },`),
    code: 'INIT_FAILED',
    says: 'did not return from init',
  },
  {
    what: 'hangs in its health hook',
    source: counting(2, `health: () => new Promise(() => undefined),`),
    code: 'START_FAILED',
    says: 'not healthy',
  },
  {
    what: 'cannot take the old state',
    source: counting(2).replace(
      'count = saved',
      `throw new TypeError('a count is ' + typeof saved)`,
    ),
    code: 'CALL_FAILED',
    says: 'a count is number',
  },
  {
    what: 'hangs in restore',
    source: counting(2).replace('count = saved', 'for (;;)'),
    code: 'CALL_FAILED',
    says: 'did not return from restore',
  },
  {
    what: 'exits in restore',
    source: counting(2).replace('count = saved', 'process.exit(7)'),
    code: 'PLUGIN_CRASHED',
    says: 'exited with code 7',
  },
  {
    what: 'crashes as soon as it is started',
    source: counting(
      2,
      `start() { setImmediate(() => { throw new Error('too soon'); }); return new Promise((resolve) => setTimeout(resolve, 50)); },`,
    ),
    code: 'START_FAILED|PLUGIN_CRASHED',
    says: 'too soon',
  },
];

describe('a new version that', () => {
  it.each(REFUSALS)('$what is refused, and the old one is never gone', async (refusal) => {
    const { source, code, says } = refusal;
    const manager = createManager();
    const { plugin, write } = await changing(manager, counting(1), SHORT);
    const states = recordStates(manager, plugin.id);
    const events = recordEvents(manager);
    const caller = callOn(plugin);
    await write(source);
    const result = await plugin.reload();
    expect(result).toMatchObject({
      ok: false,
      from: { version: '1.0.0', generation: 1 },
      to: { version: '1.0.0', generation: 2 },
      attempts: 1,
      statePreserved: false,
      error: { code: 'RELOAD_FAILED', pluginId: plugin.id },
    });
    expect(result.error?.message).toContain(says);
    expect(code.split('|')).toContain((result.error?.cause as { code?: string } | undefined)?.code);
    await plugin.execute('after');
    const answers = await caller.stop();
    const counts = answers.map(({ count }) => count).toSorted((a, b) => a - b);
    expect(answers.every(({ version }) => version === 1)).toBe(true);
    expect(counts.at(-1)).toBeLessThanOrEqual(answers.length + 1);
    expect(new Set(counts).size).toBe(answers.length);
    expect(states).toEqual([]);
    expect(events.filter(({ type }) => type === 'crashed')).toEqual([]);
    expect(eventsOf(events, 'rolled-back')).toMatchObject([{ attempt: 1, to: { generation: 2 } }]);
    expect(eventsOf(events, 'reload-failed')).toMatchObject([
      { attempts: 1, from: { generation: 1 }, error: { code: 'RELOAD_FAILED' } },
    ]);
    expect((await plugin.stats())?.generation).toBe(1);
  });

  it.each(['plugin.ts', 'plugin.mjs'])(
    'does not parse is refused with file, line and column: %s',
    async (file) => {
      const manager = createManager();
      const source = 'export default {\n  execute: (n) => n * 2,\n};\n';
      const { plugin, write } = await changing(manager, source, { file });
      await write('export default {\n  execute: (n) => n *,\n};\n');
      const result = await plugin.reload();
      expect(result.error?.message).toContain(`${file}:2:22: Unexpected ","`);
      expect(await plugin.execute(2)).toBe(4);
    },
  );

  it('has a broken plugin.json is refused before anything of it runs', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager);
    const events = recordEvents(manager);
    await write('{ "id": "changing", "type": "tool", "entry": "../else.mjs" }', 'plugin.json');
    const result = await plugin.reload();
    expect(result).toMatchObject({ ok: false, to: undefined, error: { code: 'RELOAD_FAILED' } });
    expect(result.error?.message).toContain("not a path inside the plugin's folder");
    expect(eventsOf(events, 'rolled-back')).toEqual([]);
    expect(await plugin.execute(1)).toMatchObject({ version: 1 });
  });

  it('has another id is refused', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager);
    await write('{ "id": "other", "type": "tool", "entry": "plugin.mjs" }', 'plugin.json');
    const { error } = await plugin.reload();
    expect(error?.message).toContain('its id is other; unregister changing');
  });

  it('its dependants cannot work with is refused', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager);
    const dependant = await changing(manager, counting(1), {
      id: 'dependant',
      dependencies: ['changing@^1.0.0'],
    });
    await write(
      '{ "id": "changing", "type": "tool", "entry": "plugin.mjs", "version": "2.0.0" }',
      'plugin.json',
    );
    const { error } = await plugin.reload();
    expect(error?.cause).toMatchObject({ code: 'DEPENDENCY_VERSION', pluginId: 'dependant' });
    expect(await dependant.plugin.execute(1)).toMatchObject({ version: 1 });
  });

  it('fails every time is tried as often as it may be', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager, counting(1), {
      reload: { attempts: 3, cooldownMs: 1 },
    });
    const events = recordEvents(manager);
    await write(counting(2, `init() { throw new Error('not yet'); },`));
    expect(await plugin.reload()).toMatchObject({ ok: false, attempts: 3 });
    expect(eventsOf(events, 'rolled-back').map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(eventsOf(events, 'reload-failed')).toHaveLength(1);
  });

  it('fails once serves when it is tried again', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager, `export default { execute: () => 'old' };`, {
      file: 'plugin.ts',
      reload: { attempts: 3, cooldownMs: 1 },
    });
    await write(`
      import { definePlugin } from 'troupe/plugin';
      export default definePlugin((ctx) => ({
        async init() {
          const tried = await ctx.state.update('tried', (before = 0) => before + 1);
          if (tried < 2) throw new Error('not yet');
        },
        execute: () => 'new',
      }));`);
    expect(await plugin.reload()).toMatchObject({ ok: true, attempts: 2, to: { generation: 3 } });
    expect(await plugin.execute(1)).toBe('new');
  });

  it('the old one gives no snapshot for is refused, and calls go on', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(
      manager,
      counting(1).replace(
        'snapshot: () => count',
        `snapshot: () => { throw new Error('not now'); }`,
      ),
    );
    const caller = callOn(plugin);
    await write(counting(2));
    const { ok, error } = await plugin.reload();
    expect([ok, error?.message]).toEqual([false, expect.stringContaining('not now')]);
    await plugin.execute('after');
    expect((await caller.stop()).every(({ version }) => version === 1)).toBe(true);
  });

  it('the old one is too busy for is refused, and the call goes on', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(
      manager,
      `export default {
        execute: (ms) => new Promise((resolve) => setTimeout(resolve, ms, 'ended')),
        snapshot: () => 1,
        restore() {},
      };`,
      SHORT,
    );
    const begun = plugin.execute(1_500);
    await eventually(async () => {
      expect((await plugin.stats())?.calls.inFlight).toBe(1);
    });
    const waiting = plugin.execute(1);
    await write(counting(2));
    const { error } = await plugin.reload();
    expect(error?.message).toContain('reload.preserveState');
    expect(await begun).toBe('ended');
    expect(await waiting).toBe('ended');
  });
});

describe('the old version', () => {
  it('that crashes during a reload comes back as ever, and is replaced then', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(
      manager,
      counting(1).replace('(input) =>', '(input) => input === "end" ? process.exit(1) :'),
      { restart: { intensity: 10 } },
    );
    await write(counting(2, 'init: () => new Promise((resolve) => setTimeout(resolve, 150)),'));
    const reload = plugin.reload();
    await plugin.execute('end').catch(() => undefined);
    expect(await reload).toMatchObject({ ok: true });
    expect(await plugin.execute('after')).toMatchObject({ version: 2 });
  });
});
