/** State over a crash: the last snapshot begins the next life. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import type { PluginHandle } from 'troupe';
import { describe, expect, it } from 'vitest';

import { recordEvents } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { createManager } from '../support/manager.ts';
import { failureOf } from '../support/outcomes.ts';
import { runScript, scriptFolder, scriptSpec } from '../support/script.ts';

const KEEPING = { restart: { fromSnapshot: true, snapshotMs: 10 } };

const COUNTER = `
  let n = 0;
  const seen = new Map();
  ctx.events.on('add', ({ data }) => { n += data; });
  export default {
    init() { n = 0; },
    async execute(what) {
      if (what === 'crash') ctx.exit(new Error('on purpose'));
      if (what === 'add') { n++; seen.set(n, new Date()); }
      return { n, size: seen.size, generation: ctx.generation };
    },
  };`;

interface Count {
  n: number;
  size: number;
  generation: number;
}

/** When a snapshot was taken cannot be seen from outside: there is more time for it at each try. */
async function carried(counter: PluginHandle<string, Count>): Promise<[Count, Count]> {
  let calls = 0;
  return eventually(async () => {
    const before = await counter.execute('add');
    calls += 100;
    for (let i = 0; i < calls; i++) await counter.execute('get');
    await failureOf(counter.execute('crash'));
    const after = await counter.execute('get');
    expect(after.n).toBe(before.n);
    return [before, after];
  });
}

describe('with restart.fromSnapshot', () => {
  it("a script's whole heap outlives a crash, with what it listens to", async () => {
    const manager = createManager();
    const counter = await runScript<string, Count>(manager, COUNTER, KEEPING);
    const [before, after] = await carried(counter);
    expect(after.size).toBe(before.size);
    expect(after.generation).toBeGreaterThan(before.generation);
    await manager.context.events.emit('add', 100);
    await eventually(async () => {
      expect((await counter.execute('get')).n).toBe(before.n + 100);
    });
  });

  it("a script's whole heap outlives a crash, though its file has changed", async () => {
    const folder = scriptFolder({ 'script.js': COUNTER });
    const entry = path.join(folder, 'script.js');
    const counter = await runScript<string, Count>(createManager(), COUNTER, { ...KEEPING, entry });
    await writeFile(path.join(folder, 'script.js'), 'export default {');
    const [before, after] = await carried(counter);
    expect(after.size).toBe(before.size);
    expect(after.generation).toBeGreaterThan(before.generation);
  });

  it('a script that has its own snapshot is given that, between init and start', async () => {
    const counter = await runScript<string, Count>(
      createManager(),
      `let n = 0; const order = [];
      export default {
        init() { order.push('init'); }, start() { order.push('start'); },
        snapshot: () => ({ n }), restore: (saved) => { n = saved.n; order.push('restore'); },
        execute(what) {
          if (what === 'crash') ctx.exit(new Error('on purpose'));
          if (what === 'order') return order;
          if (what === 'add') n++;
          return { n };
        },
      };`,
      KEEPING,
    );
    await carried(counter);
    expect(await counter.execute('order')).toEqual(['init', 'restore', 'start']);
  });

  it('a snapshot that the next life cannot take is dropped, and that is told', async () => {
    const manager = createManager();
    const events = recordEvents(manager);
    const script = await runScript<string, number>(
      manager,
      `let n = 0; let taken = 0;
      export default {
        snapshot: () => ++taken, restore() { throw new RangeError('not this'); },
        execute(what) { if (what === 'crash') ctx.exit(new Error('on purpose')); return what === 'taken' ? taken : ++n; },
      };`,
      KEEPING,
    );
    await eventually(async () => (await script.execute('taken')) > 0);
    await failureOf(script.execute('crash'));
    expect(await script.execute('add')).toBe(1);
    // one crash of its own, and one restart that failed
    expect(events.filter(({ type }) => type === 'restarting')).toHaveLength(2);
  });

  it('what is started by hand begins anew', async () => {
    const counter = await runScript<string, Count>(createManager(), COUNTER, KEEPING);
    await carried(counter);
    await counter.restart();
    expect((await counter.execute('get')).n).toBe(0);
  });

  it('is not for a pool', async () => {
    const spec = {
      ...scriptSpec({ 'script.js': COUNTER }),
      ...KEEPING,
      isolation: 'pool' as const,
    };
    const error = await failureOf(createManager().register(spec));
    expect(error).toMatchObject({ code: 'INVALID_SPEC', data: { field: 'restart' } });
  });
});

it('without it, a new life begins anew', async () => {
  const counter = await runScript<string, Count>(createManager(), COUNTER);
  await counter.execute('add');
  await failureOf(counter.execute('crash'));
  expect((await counter.execute('get')).n).toBe(0);
});
