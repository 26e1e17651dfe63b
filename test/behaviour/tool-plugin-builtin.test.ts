import { symlink } from 'node:fs/promises';
import path from 'node:path';

import { PluginError } from 'troupe';
import { onToolConfirm, toolPlugin, type ToolOptions } from 'troupe/plugins';
import { describe, expect, test } from 'vitest';

import { temporaryFolder } from '../support/files.ts';
import { httpHost } from '../support/http-host.ts';
import { runLlm, startMock } from '../support/llm.ts';
import { toolScene } from '../support/tool-plugin.ts';

describe('built-in tools', () => {
  test('are served by name, several of one kind under names of their own', async () => {
    const folder = await temporaryFolder({ 'a.txt': 'hello', 'b/c.txt': 'below' });
    const { manager, tools } = await toolScene({
      tools: [
        'calculator',
        'datetime',
        'json',
        { name: 'script', options: { runMs: 1_000 } },
        { name: 'filesystem', as: 'files', options: { roots: folder } },
        {
          name: 'filesystem',
          as: 'below',
          confirm: true,
          options: { roots: path.join(folder, 'b') },
        },
      ],
    });
    onToolConfirm(manager, () => true);
    expect(
      await Promise.all([
        tools.call('calculator', { expression: '6 * 7' }),
        tools.call('datetime', { op: 'convert', time: '2026-01-01T00:00Z', zone: 'Asia/Tokyo' }),
        tools.call('json', { op: 'query', document: { a: [1, 2] }, path: '$.a[1]' }),
        tools.call('script', { code: 'input.n + 1', input: { n: 1 } }),
        tools.call('files', { op: 'read', path: 'a.txt' }),
        tools.call('below', { op: 'read', path: 'c.txt' }),
        tools.call('calculator', { expression: 'process.exit()' }),
        tools.call('datetime', { op: 'now', zone: 'Nowhere' }),
        tools.call('script', { code: 'process.exit()' }),
      ]),
    ).toMatchObject([
      { ok: true, result: { value: 42 } },
      { ok: true, result: { iso: '2026-01-01T09:00:00.000+09:00' } },
      { ok: true, result: { results: [{ value: 2 }] } },
      { ok: true, result: { value: 2 } },
      { ok: true, result: { content: 'hello' } },
      { ok: true, result: { content: 'below' } },
      { ok: false, error: { code: 'CALC_SYNTAX' } },
      { ok: false, error: { code: 'DATETIME_ZONE' } },
      { ok: false, error: { code: 'SCRIPT_FAILED' } },
    ]);
    expect((await tools.stats())?.generation).toBe(1);
  });

  test('stay inside over the bus as well, and tell no path of the machine', async () => {
    const folder = await temporaryFolder({ 'root/a.txt': 'a', 'secret.txt': 'not yours' });
    await symlink(path.join(folder, 'secret.txt'), path.join(folder, 'root/link'));
    const { tools } = await toolScene({
      tools: [{ name: 'filesystem', options: { roots: path.join(folder, 'root'), write: true } }],
    });
    const outcomes = await Promise.all(
      ['../secret.txt', 'link', 'a.txt/x', 'none', '/etc/passwd', '%2e%2e/secret.txt', 'a\0'].map(
        (where) => tools.call('filesystem', { op: 'read', path: where }),
      ),
    );
    expect(outcomes.map((outcome) => !outcome.ok && outcome.error.code)).toEqual([
      'FS_PATH_REFUSED',
      'FS_LINK',
      'FS_NOT_A_FOLDER',
      'FS_NOT_FOUND',
      'FS_PATH_REFUSED',
      'FS_NOT_FOUND',
      'FS_PATH_REFUSED',
    ]);
    expect(JSON.stringify(outcomes)).not.toContain(folder);
  });

  test('ask a host with headers that nobody is told of', async () => {
    const host = await httpHost((request, response) => {
      response.end(request.headers.authorization === 'Bearer sesame' ? 'open' : 'closed');
    });
    const { manager, tools } = await toolScene({
      tools: [
        {
          name: 'http_request',
          options: {
            allowPrivate: [host.place],
            hostHeaders: { [host.place]: { authorization: 'Bearer sesame' } },
          },
        },
      ],
    });
    expect(await tools.call('http_request', { url: host.url })).toMatchObject({
      ok: true,
      result: { status: 200, body: 'open' },
    });
    expect(JSON.stringify([manager.listPlugins(), await tools.list()])).not.toContain('sesame');
    expect(await tools.call('http_request', { url: 'http://[::1]/' })).toMatchObject({
      error: { code: 'HTTP_ADDRESS_REFUSED' },
    });
  });
});

const filesystem = (options: object): object => ({
  name: 'filesystem',
  options: { roots: '.', ...options },
});
const shell = (command: object): object => ({
  name: 'shell',
  options: { cwd: '.', commands: { ls: command } },
});
const http = (options: object): object => ({ name: 'http_request', options });

describe('options of a tool plugin', () => {
  test.each<[Record<string, unknown>, string]>([
    [{ tools: [] }, '"tools" is empty'],
    [{}, '"tools": must be a tools module'],
    [
      { tools: 'calculater' },
      `there is no built-in tool 'calculater' (did you mean 'calculator'?)`,
    ],
    [{ tools: [{ name: 'nothing' }] }, `"tools.0.name": there is no built-in tool 'nothing'`],
    [{ tools: [{ name: 'json', option: {} }] }, 'there is no "tools.0.option"'],
    [{ tools: [{ name: 'json', as: 'a b' }] }, '"tools.0.as": must be 1 to 64 letters'],
    [{ tools: ['filesystem'] }, '"tools.0.options.roots"'],
    [{ tools: [filesystem({ wirte: true })] }, 'there is no "tools.0.options.wirte"'],
    [{ tools: [filesystem({ roots: { '../x': '.' } })] }, '"tools.0.options.roots'],
    [{ tools: ['shell'] }, '"tools.0.options.commands"'],
    [
      { tools: [shell({ program: 'ls' })] },
      '"tools.0.options.commands.ls.program": must be an absolute',
    ],
    [
      { tools: [shell({ arguments: [{ pattern: '(' }] })] },
      '"tools.0.options.commands.ls.arguments.0',
    ],
    [{ tools: [http({ allowPrivate: ['localhost:80'] })] }, 'must be an address with its port'],
    [
      { tools: [http({ allow: ['http://a.example/'] })] },
      '"tools.0.options.allow.0": must be a host',
    ],
    [{ tools: [http({ methods: ['CONNECT'] })] }, '"tools.0.options.methods.0"'],
    [{ tools: 'json', timeout: 5 }, 'there is no "timeout"'],
    [{ tools: 'json', timeoutMs: 0 }, '"timeoutMs"'],
    [{ tools: 'json', confirmTimeoutMs: 'long' }, '"confirmTimeoutMs"'],
    [{ tools: 'json', capabilities: 'maths' }, '"capabilities"'],
    [{ tools: 'json', capabilities: [''] }, '"capabilities.0"'],
  ])('are refused by name: %j', (options, message) => {
    const make = (): unknown => toolPlugin('t', options as unknown as ToolOptions);
    expect(make).toThrow(PluginError);
    expect(make).toThrow(expect.objectContaining({ code: 'INVALID_SPEC', pluginId: 't' }));
    expect(make).toThrow(message);
  });

  test('say what its tools are for, and a model is offered those it is to have', async () => {
    const mock = await startMock();
    mock.onMessage(/./, { content: 'done' });
    const { manager } = await toolScene({ tools: 'calculator', capabilities: ['maths', 'tools'] });
    await manager.register(toolPlugin('times', { tools: 'datetime' }));
    expect(manager.findByCapability('maths')).toEqual(['tools']);
    expect(manager.findByCapability('tools')).toEqual(['tools', 'times']);
    const llm = await runLlm(mock, { tools: { capability: 'maths' } }, manager);
    await llm.chat('hello');
    expect(mock.getRequests()[0]?.body).toMatchObject({
      tools: [{ function: { name: 'calculator' } }],
    });
  });

  test('keep what hosts are sent and programs are given from what is told of the plugin', () => {
    const { secrets } = toolPlugin('t', {
      tools: [
        'json',
        { name: 'http_request', options: { hostHeaders: { 'a.example': { 'x-api-key': 'k' } } } },
        {
          name: 'shell',
          options: { cwd: '.', commands: { ls: {} }, env: { TOKEN: 'shell-sesame' } },
        },
        { name: 'shell', as: 'plain', options: { cwd: '.', commands: { ls: {} } } },
      ],
    });
    expect(secrets).toEqual(['sources.1.options.hostHeaders', 'sources.2.options.env']);
  });

  test('of a spec are those of any plugin', () => {
    const spec = toolPlugin('t', {
      tools: 'json',
      name: 'Mine',
      priority: 3,
      limits: { memoryMb: 64 },
    });
    expect(spec).toMatchObject({
      id: 't',
      type: 'tool',
      name: 'Mine',
      priority: 3,
      concurrency: 32,
      limits: { memoryMb: 64, callTimeoutMs: 120_000 },
    });
    expect(toolPlugin('t', { tools: 'json', concurrency: 1 }).config).toMatchObject({
      questionsMax: 1,
    });
    expect(toolPlugin('t', { tools: 'json', limits: { callTimeoutMs: 5 } }).limits).toEqual({
      callTimeoutMs: 5,
    });
  });
});
