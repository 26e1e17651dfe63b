import { readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';

import type { PluginHandle } from 'troupe';
import type { ToolListing, ToolResult } from 'troupe/plugins';
import { describe, expect, expectTypeOf, test } from 'vitest';

import { isAlive } from '../support/alive.ts';
import { recordEvents } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/files.ts';
import { TOOLS, toolScene } from '../support/tool-plugin.ts';

const failure = (code: string, message: unknown = expect.any(String)): unknown => ({
  ok: false,
  error: { code, message },
});

describe('a call of a tool', () => {
  test('gives its result, checked and made by its schemas', async () => {
    const { tools } = await toolScene();
    const outcomes = [
      await tools.call('greet', { name: 'Ada' }),
      await tools.call('greet', { name: 'Ada', mood: 'bad', when: '1815-12-10T00:00:00Z' }),
      await tools.call('add', { a: 1 }),
      await tools.call('add', '{"a": 1, "b": 4}'),
      await tools.execute({ op: 'call', name: 'half', arguments: { n: '4' } }),
    ];
    expect(outcomes).toEqual([
      { ok: true, result: { text: 'good day, Ada' } },
      { ok: true, result: { text: 'bad day, Ada of 1815' } },
      { ok: true, result: 2 },
      { ok: true, result: 5 },
      { ok: true, result: 2 },
    ]);
  });

  test('answers arguments that do not fit with what is wrong with each', async () => {
    const { tools } = await toolScene();
    const wrong = 'TOOL_ARGUMENTS_INVALID';
    expect([
      await tools.call('add', { a: 'x', c: 1 }),
      await tools.call('greet', { name: '', mood: 'so-so' }),
      await tools.call('half', { n: 3 }),
      await tools.call('add', '{"a": 1'),
      await tools.call('add', '[1]'),
      await tools.call('add', 'null'),
      await tools.call('add', [1]),
      await tools.call('add', 7),
      await tools.call('add', ''),
      await tools.call('add', '{"a": 1, "__proto__": {"b": 2}}'),
    ]).toEqual([
      failure(wrong, expect.stringMatching(/'c'.*a: must be number/)),
      failure(wrong, expect.stringMatching(/name: Too small.*mood: Invalid option/)),
      failure(wrong, 'the arguments do not fit: n: must be even'),
      failure(wrong, expect.stringMatching(/^the arguments are not valid JSON: /)),
      failure(wrong, 'the arguments are an array, not an object'),
      failure(wrong, expect.stringMatching(/must have required property 'a'/)),
      failure(wrong, 'the arguments are an array, not an object'),
      failure(wrong, 'the arguments are of type number, not an object'),
      failure(wrong, expect.stringMatching(/must have required property 'a'/)),
      failure(wrong, expect.stringMatching(/'__proto__'/)),
    ]);
  });

  test('that goes wrong is an answer', async () => {
    const { tools } = await toolScene();
    expect([
      await tools.call('liar'),
      await tools.call('thrower', { message: 'no' }),
      await tools.call('thrower', { message: 'no', code: 'MY_OWN' }),
      await tools.call('thrower', { message: 'no', code: 'lower case' }),
      await tools.call('thrower', { value: 7 }),
      await tools.call('thrower', { value: null }),
      await tools.call('ad', {}),
      await tools.call('__proto__', {}),
    ]).toEqual([
      failure('TOOL_RESULT_INVALID', 'what the tool returned does not fit: n: must be number'),
      failure('TOOL_FAILED', 'no'),
      failure('MY_OWN', 'no'),
      failure('TOOL_FAILED', 'no'),
      failure('TOOL_FAILED', 'it threw 7'),
      failure('TOOL_FAILED', 'it threw null'),
      failure('TOOL_NOT_FOUND', expect.stringMatching(/no tool 'ad'. Did you mean 'add'\?/)),
      failure('TOOL_NOT_FOUND'),
    ]);
  });

  test('is told of its call, and reports its progress', async () => {
    const { manager, tools } = await toolScene({ timeoutMs: 10_000 });
    const events = recordEvents(manager);
    const outcome = await tools.call<Record<string, unknown>>('teller', { x: 1 });
    expect(outcome).toEqual({
      ok: true,
      result: {
        args: { x: 1 },
        id: 'tools-1-1',
        tool: 'teller',
        plugin: 'tools',
        leftMs: expect.any(Number) as unknown,
        aborted: false,
      },
    });
    expect(outcome.ok && outcome.result['leftMs']).toBeGreaterThan(0);
    await eventually(() => events.some(({ type }) => type === 'progress'));
  });

  test('is given its schema as models and protocols want it', async () => {
    const { tools } = await toolScene({ tools: [TOOLS, 'calculator'] });
    const listed = await tools.list();
    expect(listed.map(({ name }) => name)).toEqual(
      'greet add half liar thrower hanger spinner crasher teller asker calculator'.split(' '),
    );
    expect(listed[0]).toEqual({
      name: 'greet',
      description: 'Greets somebody',
      inputSchema: expect.objectContaining({ type: 'object', required: ['name'] }) as unknown,
      outputSchema: expect.objectContaining({ type: 'object', required: ['text'] }) as unknown,
      confirm: false,
      timeoutMs: 30_000,
    });
    expect(listed.filter(({ confirm }) => confirm).map(({ name }) => name)).toEqual(['asker']);
    const openai = await tools.execute({ op: 'list', format: 'openai' });
    expect(openai[1]).toEqual({
      type: 'function',
      function: { name: 'add', description: 'Adds', parameters: listed[1]?.inputSchema },
    });
    const mcp = await tools.execute({ op: 'list', format: 'mcp' });
    expect(mcp[0]).toEqual({
      name: 'greet',
      description: 'Greets somebody',
      inputSchema: listed[0]?.inputSchema,
      outputSchema: listed[0]?.outputSchema,
    });
    // the protocol has structured results that are objects
    expect(mcp[1]).not.toHaveProperty('outputSchema');
    expect(mcp[2]?.inputSchema).toEqual({ type: 'object' });
  });

  test.each<[unknown, string]>([
    [undefined, 'the input is undefined, not an object with an op: call, list'],
    ['list', 'the input is of type string, not an object'],
    [{ op: 'explode' }, "there is no op 'explode'"],
    [{ op: 'call' }, 'call needs name, which is a text'],
    [{ op: 'call', name: 'add', args: {} }, "call has no field 'args'"],
    [{ op: 'list', format: 'xml' }, "there is no format 'xml'"],
  ])('is refused where it is none: %j', async (input, message) => {
    const { tools } = await toolScene();
    await expect(tools.execute(input as { op: 'list' })).rejects.toMatchObject({
      code: 'CALL_FAILED',
      cause: { code: 'TOOL_INVALID_INPUT', message: expect.stringContaining(message) as unknown },
    });
  });
});

describe('a tool that', () => {
  test('hangs is given up after its time, and the others go on', async () => {
    const { manager, tools } = await toolScene();
    const aborted: unknown[] = [];
    manager.context.events.on('aborted', ({ data }) => aborted.push(data));
    const hanging = [tools.call('hanger'), tools.call('hanger')];
    expect(await tools.call('add', { a: 1 })).toEqual({ ok: true, result: 2 });
    expect(await Promise.all(hanging)).toEqual([
      failure('TOOL_TIMEOUT', "'hanger' took longer than its 50 ms"),
      failure('TOOL_TIMEOUT'),
    ]);
    await eventually(() => expect(aborted).toEqual(['TOOL_TIMEOUT', 'TOOL_TIMEOUT']));
    const stats = await tools.stats();
    expect(stats?.plugin).toMatchObject({
      calls: 3,
      errors: { TOOL_TIMEOUT: 2 },
      tools: { hanger: { calls: 2, abandoned: 2 }, add: { calls: 1, errors: {}, abandoned: 0 } },
    });
    expect(stats?.generation).toBe(1);
  });

  test('hangs again and again is not begun any more, and its plugin is not healthy', async () => {
    const { tools } = await toolScene({ concurrency: 100 });
    await Promise.all(Array.from({ length: 100 }, () => tools.call('hanger')));
    expect(await tools.call('hanger')).toEqual(failure('TOOL_STUCK'));
    expect(await tools.health()).toMatchObject({ healthy: false, detail: { stuck: ['hanger'] } });
    expect(await tools.call('add', { a: 1 })).toMatchObject({ ok: true });
    await tools.restart();
    expect(await tools.health()).toMatchObject({ healthy: true });
  });

  test('computes for ever is ended at its checkpoint', async () => {
    const { tools } = await toolScene();
    expect(await tools.call('spinner', { checkpoint: true })).toEqual(failure('TOOL_TIMEOUT'));
    expect((await tools.stats())?.generation).toBe(1);
  });

  test('computes for ever without one is ended with its thread, by the deadline of the call', async () => {
    const { tools } = await toolScene({ limits: { graceMs: 50 } });
    await expect(tools.call('spinner', {}, { timeoutMs: 200 })).rejects.toMatchObject({
      code: 'CALL_TIMEOUT',
    });
    expect(await tools.call('add', { a: 1 })).toEqual({ ok: true, result: 2 });
    expect(await tools.stats()).toMatchObject({ generation: 2, lastCrash: { reason: 'hang' } });
  });

  test('ends its thread is a crash of the plugin, which comes back', async () => {
    const { tools } = await toolScene();
    await expect(tools.call('crasher')).rejects.toMatchObject({ code: 'PLUGIN_CRASHED' });
    expect(await tools.call('add', { a: 1 })).toEqual({ ok: true, result: 2 });
    expect(await tools.stats()).toMatchObject({ generation: 2, restarts: 1 });
  });

  test('is a program ends with the thread, and so does what it started', async () => {
    const cwd = await temporaryFolder({
      'parent.cjs': `
        const child = require('node:child_process').spawn('sleep', ['600'], { stdio: 'inherit' });
        require('node:fs').writeFileSync('family', JSON.stringify([process.pid, child.pid]));
        setInterval(() => {}, 1000);`,
    });
    const commands = { parent: { program: process.execPath, prefix: ['parent.cjs'] } };
    const { tools } = await toolScene({
      tools: [TOOLS, { name: 'shell', options: { cwd, commands } }],
      limits: { graceMs: 50 },
    });
    const running = tools.call('shell', { command: 'parent' });
    running.catch(() => undefined);
    const family = await eventually(
      async () => JSON.parse(await readFile(path.join(cwd, 'family'), 'utf8')) as number[],
    );
    expect(family.map(isAlive)).toEqual([true, true]);
    await expect(tools.call('spinner', {}, { timeoutMs: 200 })).rejects.toMatchObject({
      code: 'CALL_TIMEOUT',
    });
    await expect(running).rejects.toMatchObject({ code: 'PLUGIN_CRASHED' });
    await eventually(() => !family.some(isAlive));
  });

  test('hangs does not keep a caller that gives up, nor cost the thread', async () => {
    const { tools } = await toolScene({
      tools: [
        {
          name: 'shell',
          options: { cwd: '.', commands: { sleep: { arguments: [{ pattern: '\\d+' }] } } },
        },
      ],
      limits: { graceMs: 1_000 },
    });
    const slow = tools.call('shell', { command: 'sleep', arguments: ['60'] }, { timeoutMs: 100 });
    await expect(slow).rejects.toMatchObject({ code: 'CALL_TIMEOUT' });
    expect(await tools.call('shell', { command: 'sleep', arguments: ['0'] })).toMatchObject({
      ok: true,
    });
    expect((await tools.stats())?.generation).toBe(1);
  });
});

describe('a tool plugin', () => {
  test('counts its calls by tool and outcome', async () => {
    const { tools } = await toolScene();
    await tools.call('add', { a: 1 });
    await tools.call('add', {});
    await tools.call('nothing');
    const stats = await tools.stats();
    expect(stats?.plugin).toEqual({
      calls: 3,
      errors: { TOOL_NOT_FOUND: 1, TOOL_ARGUMENTS_INVALID: 1 },
      tools: { add: { calls: 2, errors: { TOOL_ARGUMENTS_INVALID: 1 }, abandoned: 0 } },
      confirmations: { asked: 0, allowed: 0, refused: 0, unanswered: 0, pending: 0 },
    });
    expect(stats?.metrics).toEqual(
      expect.arrayContaining([
        {
          kind: 'counter',
          name: 'tool_calls_total',
          labels: { tool: 'add', outcome: 'ok' },
          value: 1,
        },
        expect.objectContaining({
          name: 'tool_call_duration_ms',
          labels: { tool: 'add' },
          count: 2,
        }),
      ]),
    );
  });

  test('knows what its handle gives', async () => {
    const { tools } = await toolScene();
    expectTypeOf(tools.call<number>).returns.resolves.toEqualTypeOf<ToolResult<number>>();
    expectTypeOf(tools.list).returns.resolves.toEqualTypeOf<ToolListing[]>();
    expectTypeOf(await tools.execute({ op: 'list' })).toEqualTypeOf<ToolListing[]>();
    expectTypeOf(tools.pause).toEqualTypeOf<PluginHandle['pause']>();
  });

  test.each<[name: string, source: string, message: string]>([
    ['no list', 'export default {}', 'must be an array of defineTool'],
    ['an empty list', 'export default []', 'must be an array of defineTool'],
    ['no module', 'export default [', 'cannot be imported'],
    ['a tool that is none', 'export default [7]', 'it is no object'],
    [
      'no name',
      "export default [{ description: '', input: {}, execute() {} }]",
      "its 'name' must be",
    ],
    ['a name for nobody', tool("name: 'a b'"), "its 'name' must be"],
    ['no description', tool('description: undefined'), "'x': its 'description' must be a text"],
    ['no execute', tool('execute: 1'), "'x': its 'execute' must be a function"],
    ['no input', tool('input: undefined'), "'x': it has no 'input'"],
    ['a wrong timeout', tool('timeoutMs: 0'), "'x': its 'timeoutMs' must be"],
    ['a wrong confirm', tool("confirm: 'yes'"), "'x': its 'confirm' must be"],
    ['an unknown field', tool('timeout: 5'), "'x': it has no field 'timeout'"],
    ['two of a name', `export default [...[1, 2].map(() => (${one('')}))]`, "two tools named 'x'"],
    [
      'a misspelt keyword',
      tool("input: { type: 'object', propertys: {} }"),
      `the input schema of 'x' cannot be used: unknown keyword "propertys"; did you mean "properties"?`,
    ],
    [
      'a schema that is none',
      tool("input: { type: 'objekt' }"),
      "the input schema of 'x' cannot be used",
    ],
    [
      'a format nobody knows',
      tool("input: { properties: { a: { type: 'string', format: 'hue' } } }"),
      "the input schema of 'x'",
    ],
    [
      'a reference to nowhere',
      tool("input: { $ref: 'https://example.com/x.json' }"),
      "the input schema of 'x'",
    ],
    ['a schema of a text', tool("input: { type: 'string' }"), 'arguments are an object'],
    ['an output that is none', tool('output: { type: 7 }'), "the output schema of 'x'"],
    ['a run longer than a call', tool('timeoutMs: 10_000_000'), 'raise limits.callTimeoutMs'],
  ])('says at init which tool is wrong: %s', async (_, source, message) => {
    const folder = await temporaryFolder({ 'tools.mjs': source });
    await expect(toolScene({ tools: `${folder}/tools.mjs` })).rejects.toMatchObject({
      errors: [
        {
          code: 'INIT_FAILED',
          cause: { code: 'TOOL_INVALID', message: expect.stringContaining(message) as unknown },
        },
      ],
    });
  });
});

function one(fields: string): string {
  return `{ name: 'x', description: 'd', input: {}, execute() {}, ${fields} }`;
}

function tool(fields: string): string {
  return `export default [${one(fields)}]`;
}
