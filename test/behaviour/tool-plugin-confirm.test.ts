import { onToolConfirm, type ToolConfirmRequest } from 'troupe/plugins';
import { describe, expect, test } from 'vitest';

import { eventually } from '../support/eventually.ts';
import { toolScene } from '../support/tool-plugin.ts';

const refused = (reason: string): unknown => ({
  ok: false,
  error: { code: 'TOOL_REFUSED', message: `'asker' may not run: ${reason}` },
});

describe('a tool that asks first', () => {
  test('lists how long it waits for its answer; one that never asks lists no such time', async () => {
    const { tools } = await toolScene({ confirmTimeoutMs: 500 });
    const times = (await tools.list())
      .filter(({ name }) => name === 'asker' || name === 'add')
      .map(({ name, confirm, confirmTimeoutMs }) => [name, confirm, confirmTimeoutMs]);
    expect(times).toEqual([
      ['add', false, undefined],
      ['asker', true, 500],
    ]);
  });

  test('tells what it wants to do, and does it when it may', async () => {
    const { manager, tools } = await toolScene();
    const requests: ToolConfirmRequest[] = [];
    onToolConfirm(manager, (request) => {
      requests.push(request);
      return true;
    });
    expect(await tools.call('asker', { what: 'delete' })).toEqual({
      ok: true,
      result: 'done: delete',
    });
    expect(requests).toEqual([
      {
        requestId: expect.stringMatching(/^[\da-f-]{36}$/) as unknown,
        plugin: 'tools',
        tool: 'asker',
        arguments: { what: 'delete' },
        message: 'Really delete?',
        deadline: expect.any(Number) as unknown,
      },
    ]);
    expect((await tools.stats())?.plugin).toMatchObject({
      confirmations: { asked: 1, allowed: 1, refused: 0, unanswered: 0, pending: 0 },
    });
  });

  test('tells what the tool will be given: what the schema made of the arguments', async () => {
    const { manager, tools } = await toolScene({
      tools: new URL('../fixtures/asking-tools.mjs', import.meta.url),
    });
    const told: unknown[] = [];
    onToolConfirm(manager, (request) => {
      told.push(request.arguments);
      return true;
    });
    await tools.call('plain', {});
    await tools.call('made', { path: 'etc', when: '2026-01-01' });
    expect(await tools.call('lazy', { text: 'x' })).toEqual({ ok: true, result: ['text'] });
    expect(told).toEqual([
      { mode: 'all' },
      { mode: 'all', path: '/etc', when: new Date('2026-01-01') },
      { text: 'x' },
    ]);
  });

  test('asks where its rule says so, and after its arguments were checked', async () => {
    const { manager, tools } = await toolScene();
    let asked = 0;
    onToolConfirm(manager, () => {
      asked++;
      return false;
    });
    expect(await tools.call('asker', { free: true })).toEqual({ ok: true, result: 'done: it' });
    expect(await tools.call('asker', { what: 7 })).toMatchObject({
      error: { code: 'TOOL_ARGUMENTS_INVALID' },
    });
    expect(asked).toBe(0);
  });

  test.each<[string, () => never | false | { allow: false; reason?: string }, string]>([
    ['a no', () => false, 'it was not allowed'],
    ['a no with its reason', () => ({ allow: false, reason: 'too late' }), 'too late'],
    [
      'somebody who fails',
      () => {
        throw new Error('broken');
      },
      'whoever was asked failed: broken',
    ],
    ['something that is no yes', () => 'yes' as never, 'nobody answered in 500 ms'],
  ])('is refused by %s', async (_, answer, reason) => {
    const { manager, tools } = await toolScene({ confirmTimeoutMs: 500 });
    onToolConfirm(manager, answer);
    expect(await tools.call('asker')).toEqual(refused(reason));
  });

  test('is refused after its deadline when nobody answers, and others go on meanwhile', async () => {
    const { tools } = await toolScene({ confirmTimeoutMs: 300 });
    const asking = tools.call('asker');
    expect(await tools.call('add', { a: 1 })).toMatchObject({ ok: true });
    expect(await asking).toEqual(refused('nobody answered in 300 ms'));
    expect((await tools.stats())?.plugin).toMatchObject({
      errors: { TOOL_REFUSED: 1 },
      confirmations: { asked: 1, unanswered: 1, pending: 0 },
    });
  });

  test('is told to come again while too many wait for their answer, and keeps no other out', async () => {
    const { manager, tools } = await toolScene();
    const requests: ToolConfirmRequest[] = [];
    const { events } = manager.context;
    events.on<ToolConfirmRequest>('tool.confirm', ({ data }) => requests.push(data));
    const asking = Array.from({ length: 40 }, () => tools.call('asker'));
    expect(await tools.call('add', { a: 1 })).toEqual({ ok: true, result: 2 });
    expect(await tools.list()).toHaveLength(10);
    await eventually(() => expect(requests).toHaveLength(16));
    onToolConfirm(manager, () => true);
    for (const { requestId } of requests) {
      await events.emit('tool.confirm.answer', { requestId, allow: true });
    }
    const outcomes = await Promise.all(asking);
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(16);
    expect(outcomes.filter(({ ok }) => !ok)).toEqual(
      Array.from({ length: 24 }, () => ({
        ok: false,
        error: {
          code: 'TOOL_BUSY',
          message:
            "'asker' may not ask now: 16 runs wait for a confirmation already. " +
            'Try again when one is answered',
        },
      })),
    );
    expect(await tools.call('asker')).toMatchObject({ ok: true });
    expect((await tools.stats())?.plugin).toMatchObject({
      errors: { TOOL_BUSY: 24 },
      confirmations: { asked: 17, allowed: 17, pending: 0 },
    });
  });

  test('is answered once, by an event that fits', async () => {
    const { manager, tools } = await toolScene();
    const { events } = manager.context;
    events.on<ToolConfirmRequest>('tool.confirm', ({ data: { requestId } }) => {
      for (const data of [
        undefined,
        {},
        { requestId },
        { requestId, allow: 1 },
        { requestId: 'x', allow: false },
      ]) {
        void events.emit('tool.confirm.answer', data);
      }
      void events.emit('tool.confirm.answer', { requestId, allow: true });
      void events.emit('tool.confirm.answer', { requestId, allow: false });
    });
    expect(await tools.call('asker')).toMatchObject({ ok: true });
  });

  test('does not keep a caller that gives up', async () => {
    const { tools } = await toolScene();
    const asking = tools.call('asker', {}, { timeoutMs: 200 });
    await expect(asking).rejects.toMatchObject({ code: 'CALL_TIMEOUT' });
    await eventually(async () => {
      expect((await tools.stats())?.plugin).toMatchObject({
        errors: { TOOL_ABORTED: 1 },
        confirmations: { pending: 0 },
      });
    });
    expect((await tools.stats())?.generation).toBe(1);
  });

  test('asks from any thread of a pool, and any process', async () => {
    const inPool = await toolScene({ isolation: 'pool' });
    onToolConfirm(inPool.manager, () => true);
    const calls = [inPool.tools.call('asker'), inPool.tools.call('asker')];
    expect(await Promise.all(calls)).toEqual(calls.map(() => ({ ok: true, result: 'done: it' })));
    const inProcess = await toolScene({ isolation: 'process' });
    onToolConfirm(inProcess.manager, () => true);
    expect(await inProcess.tools.call('asker')).toMatchObject({ ok: true });
  });

  test('is answered only by who is asked for this plugin, until it stops answering', async () => {
    const { manager, tools } = await toolScene({ confirmTimeoutMs: 300 });
    onToolConfirm(manager, () => true, { plugin: 'another' });
    const leave = onToolConfirm(manager, () => true, { plugin: 'tools' });
    expect(await tools.call('asker')).toMatchObject({ ok: true });
    leave();
    expect(await tools.call('asker')).toMatchObject({ error: { code: 'TOOL_REFUSED' } });
  });
});
