import process from 'node:process';
import { inspect } from 'node:util';

import type { KernelEvent, PluginHandle, PluginManager } from 'troupe';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { eventsOf, recordEvents } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { createManager, EAGER_RESTART, run, specOf } from '../support/manager.ts';
import { causeOf, failureFrom, failureOf } from '../support/outcomes.ts';

const API_KEY = 'sk-0123456789abcdef';
const PASSWORD = 'cor"rect\nhorse/battery';
const PIN = 83_941_776;
const TOKEN = 'env-token-5150';

/** No part of a secret that somebody could start from. */
const TRACES = ['sk-0', '0123456', 'abcdef', 'cor', 'horse', 'battery', '83941776', 'env-token'];

beforeEach(() => {
  process.env['LEAKED_TOKEN'] = TOKEN;
  onTestFinished(() => {
    delete process.env['LEAKED_TOKEN'];
  });
});

const SPEC = {
  secrets: ['apiKey', 'db'],
  config: { apiKey: API_KEY, db: { password: PASSWORD, pin: PIN }, limit: 'not a secret' },
  permissions: { env: ['LEAKED_TOKEN'] },
  restart: EAGER_RESTART,
};

async function runLeaker(): Promise<{
  manager: PluginManager;
  plugin: PluginHandle;
  events: KernelEvent[];
}> {
  const manager = createManager();
  const events = recordEvents(manager);
  const plugin = await run(manager, 'leaker.mjs', SPEC);
  return { manager, plugin, events };
}

/** As a log, a dashboard or a debugger would show it. */
function shownOf(value: unknown): string {
  const json = JSON.stringify(value, (_, part: unknown) =>
    part instanceof Map ? [...part] : typeof part === 'bigint' ? String(part) : part,
  );
  const stacks = value instanceof Error ? [value.stack, String(value)] : [];
  return [json, inspect(value, { depth: 20, showHidden: true }), ...stacks].join('\n');
}

function expectClean(value: unknown): void {
  const shown = shownOf(value);
  expect(TRACES.filter((trace) => shown.includes(trace))).toEqual([]);
}

describe('a secret', () => {
  it.each([
    'throw',
    'throw text',
    'throw object',
    'throw runtime error',
    'return nonsense',
    'throw later',
    'reject later',
    'throw past the runtime',
    'exit with an error',
  ])('is not in the error of a call, nor in what is told of it: %s', async (way) => {
    const { plugin, events } = await runLeaker();
    const error = await failureOf(plugin.execute(way));
    expectClean(error);
    // what the plugin said is told somewhere, but for the secret; a description can be cut in it
    expect(shownOf([error, events])).toContain('[secr');
    expectClean((await plugin.stats())?.lastCrash);
    expectClean(events);
  });

  it('is not in the last words of a plugin that exits', async () => {
    const { plugin, events } = await runLeaker();
    expectClean(await failureOf(plugin.execute('log and exit')));
    const crash = (await plugin.stats())?.lastCrash;
    expect(crash?.logs).toEqual(['[secret] [secret] [secret]']);
    expectClean([crash, events]);
  });

  it('is not in name, message, code, stack and cause of an error, which else stay as they are', async () => {
    const { plugin } = await runLeaker();
    const cause = causeOf(await failureOf(plugin.execute('throw')));
    expect(cause).toMatchObject({
      name: 'LeakError [secret]',
      message: 'could not log in with [secret] [secret] [secret]',
      code: '[secret]',
      cause: { name: 'TypeError', message: '[secret] [secret] [secret]', cause: '[secret]' },
    });
    expect(cause.stack).toContain('leaker.mjs');
  });

  it('is not in the errors of a poisonous call, its events and its dead letter', async () => {
    const { manager, plugin, events } = await runLeaker();
    expectClean(await failureOf(plugin.execute('throw later', { idempotent: true })));
    expect(eventsOf(events, 'dead-letter')).toHaveLength(1);
    expectClean(events);
    expectClean(manager.deadLetters());
  });

  it('is not in what it logs and prints', async () => {
    const { plugin, events } = await runLeaker();
    await plugin.execute('log');
    await plugin.execute('print');
    const messages = await eventually(() => {
      const lines = eventsOf(events, 'log').map(({ message }) => message);
      expect(lines.some((line) => line.includes('Warning: [secret]'))).toBe(true);
      return lines;
    });
    expectClean(events);
    expect(messages[0]).toBe('[secret] [secret] [secret]');
    expect(eventsOf(events, 'log')[0]?.fields).toMatchObject({
      'text': '[secret] [secret] [secret]',
      'pin': '[secret]',
      '[secret]': 'as a key',
    });
    expect(messages).toContain('[secret]');
    expect(messages).toContain('"[secret]" [secret]');
  });

  it('is not in its progress, its health and its stats', async () => {
    const { manager, plugin, events } = await runLeaker();
    await plugin.execute('progress');
    expect(eventsOf(events, 'progress').map(({ note }) => note)).toEqual([
      '[secret] [secret] [secret]',
    ]);
    const [health, stats] = [await plugin.health(), await plugin.stats()];
    expect(health.detail).toMatchObject({ text: '[secret] [secret] [secret]', pin: '[secret]' });
    expect(stats?.plugin).toMatchObject({ text: '[secret] [secret] [secret]', pin: '[secret]' });
    expectClean([health, stats, events, manager.listPlugins()]);
  });

  it.each(['setup', 'load', 'init', 'start'] as const)(
    'is not in what a failing %s says',
    async (leakIn) => {
      const manager = createManager();
      const events = recordEvents(manager);
      const config = { ...SPEC.config, leakIn };
      const plugin = await manager.register(specOf('leaker.mjs', { ...SPEC, config }));
      const error = await failureOf(
        (async () => {
          await plugin.load();
          await plugin.init();
          await plugin.start();
        })(),
      );
      expect(error.message).toContain('could not log in with [secret]');
      expectClean([error, events, await plugin.health(), await plugin.stats()]);
    },
  );

  it.each(['pause', 'resume', 'stop', 'unload', 'health', 'stats'] as const)(
    'is not in what a failing %s says',
    async (leakIn) => {
      const manager = createManager();
      const events = recordEvents(manager);
      const config = { ...SPEC.config, leakIn };
      const plugin = await run(manager, 'leaker.mjs', { ...SPEC, config });
      const said: unknown[] = [await plugin.health(), await plugin.stats()];
      for (const verb of ['pause', 'resume', 'stop', 'unload'] as const) {
        said.push(await plugin[verb]().catch((error: unknown) => error));
      }
      expect(shownOf(said)).toContain('could not log in with [secret]');
      for (const each of said) expectClean(each);
      expectClean(events);
    },
  );

  it('is not in what a process of its own writes past the runtime', async () => {
    const manager = createManager();
    const events = recordEvents(manager);
    const plugin = await run(manager, 'leaker.mjs', { ...SPEC, isolation: 'process' });
    await plugin.execute('write raw');
    await eventually(() => {
      const lines = eventsOf(events, 'log').map(({ message }) => message.slice(-8));
      expect(lines).toContain('[secret]');
      expect(lines).toContain('......[s');
    });
    expectClean(events);
  });

  it('is in an answer: what a plugin gives its caller is its own', async () => {
    const { plugin } = await runLeaker();
    expect(await plugin.execute('answer')).toBe(`${API_KEY} ${PASSWORD} ${TOKEN}`);
  });

  it('of another plugin is none: each keeps its own', async () => {
    const { plugin } = await runLeaker();
    const open = await run(createManager(), 'leaker.mjs', { ...SPEC, secrets: [] });
    const message = causeOf(await failureOf(open.execute('throw'))).message;
    expect(message).toBe(`could not log in with ${API_KEY} ${PASSWORD} [secret]`);
    expectClean(await failureOf(plugin.execute('throw')));
  });
});

describe('the secrets of a spec', () => {
  it('must be there, or a misspelt one would be none', async () => {
    const spec = specOf('leaker.mjs', { ...SPEC, secrets: ['apiKey', 'db.pasword'] });
    const error = await failureFrom(() => createManager().register(spec));
    expect(error).toMatchObject({ code: 'INVALID_SPEC', data: { field: 'secrets' } });
    expect(error.message).toBe(
      'the spec of leaker is not valid: "secrets": there is no db.pasword in config',
    );
  });
});
