/** What a plugin throws arrives as the cause of CALL_FAILED, whatever it is. DESIGN §10; FAILURES 2. */
import { readFile } from 'node:fs/promises';

import { describe, expect, it } from 'vitest';

import { createManager, fixture, run, runAssistant } from '../support/manager.ts';
import { causeOf, failureOf } from '../support/outcomes.ts';

const HOSTILE = [
  'undefined',
  'null',
  'a string',
  'a number',
  'a symbol',
  'a function',
  'a proxy that throws',
  'an error with throwing getters',
  'an error that is its own cause',
  'a plain object',
  'an object without prototype',
];

/** Where the fixture has that text; from 1. */
async function lineOf(text: string): Promise<number> {
  const source = await readFile(fixture('thrower.ts'), 'utf8');
  return source.split('\n').findIndex((line) => line.includes(text)) + 1;
}

describe.each([
  ['thrown', false],
  ['rejected', true],
] as const)('what is %s', (_, late) => {
  it('arrives with class name, message, code, cause and its own stack', async () => {
    const manager = createManager();
    const plugin = await run(manager, 'thrower.ts');
    const error = await failureOf(plugin.execute({ what: 'quota', late }));
    expect(error).toMatchObject({ code: 'CALL_FAILED', pluginId: 'thrower' });
    expect(error.message).toContain('thrower');
    expect(error.message).toContain('nothing left');

    const cause = causeOf(error);
    expect(cause).toMatchObject({ name: 'QuotaError', message: 'nothing left', code: 'E_QUOTA' });
    expect(cause.stack).toMatch(/^QuotaError: nothing left|^Error: nothing left/);
    // where it was thrown in the TypeScript source, not in a bundle
    expect(cause.stack).toContain(`fixtures/thrower.ts:${String(await lineOf('nothing left'))}:`);
    expect(cause.cause).toBeInstanceOf(TypeError);
    expect(cause.cause).toMatchObject({
      name: 'TypeError',
      message: 'the reason',
      cause: 'a text',
    });
  });

  it.each(HOSTILE)('may be %s', async (what) => {
    const manager = createManager();
    const plugin = await run(manager, 'thrower.ts');
    const error = await failureOf(plugin.execute({ what, late }));
    expect(error).toMatchObject({ code: 'CALL_FAILED', pluginId: 'thrower' });
    expect(error.cause).toBeInstanceOf(Error);
    expect(await plugin.stats()).toMatchObject({ generation: 1, calls: { failed: 1 } });
  });
});

it('an error of a .mjs plugin names the file and the class that Node knows', async () => {
  const manager = createManager();
  const plugin = await runAssistant(manager);
  const cause = causeOf(await failureOf(plugin.execute({ do: 'throw', code: 'E_OWN' })));
  expect(cause).toBeInstanceOf(RangeError);
  expect(cause).toMatchObject({ message: 'thrown', code: 'E_OWN' });
  expect(cause.stack).toMatch(/assistant\.mjs:\d+:\d+/);
});

it('a plugin may not pass its own error off as one of the runtime', async () => {
  const manager = createManager();
  const plugin = await runAssistant(manager);
  const error = await failureOf(plugin.execute({ do: 'throw', code: 'PLUGIN_CRASHED' }));
  expect(error).toMatchObject({ code: 'CALL_FAILED', cause: { code: 'PLUGIN_CRASHED' } });
});
