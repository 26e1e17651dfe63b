import type { LLMock } from '@copilotkit/aimock';
import type { PluginManager } from 'troupe';
import { toolPlugin, type LlmOptions } from 'troupe/plugins';
import { describe, expect, it } from 'vitest';

import { eventually } from '../support/eventually.ts';
import { inline } from '../support/files.ts';
import { addTools, runLlm, startMock, type Llm } from '../support/llm.ts';
import { createManager, fixture } from '../support/manager.ts';
import { causeOf, failureOf, readAll } from '../support/outcomes.ts';
import { TOOLS } from '../support/tool-plugin.ts';

interface Wanted {
  name: string;
  arguments?: string;
}

/** A model that calls these tools when it is asked, and says `done` when it has their results. */
async function startCaller(...tools: Wanted[]): Promise<LLMock> {
  const mock = await startMock();
  const toolCalls = tools.map(({ name, arguments: args = '{}' }, at) => ({
    id: `call_${String(at)}`,
    name,
    arguments: args,
  }));
  mock.on({ userMessage: /./, hasToolResult: false }, { content: 'let me see', toolCalls });
  mock.on({ userMessage: /./, hasToolResult: true }, { content: 'done' });
  return mock;
}

interface Scene {
  manager: PluginManager;
  llm: Llm;
}

async function runWithTools(mock: LLMock, options: LlmOptions = {}): Promise<Scene> {
  const manager = createManager();
  await addTools(manager);
  return { manager, llm: await runLlm(mock, options, manager) };
}

/** What the model was offered, by name, with its description. */
function offeredBy(mock: LLMock): Record<string, string | undefined> {
  const body = mock.getRequests().at(-1)?.body as {
    tools?: { function: { name: string; description?: string } }[];
  };
  return Object.fromEntries(
    (body.tools ?? []).map(({ function: { name, description } }) => [name, description]),
  );
}

/** What the model was told of each call. */
function toldTo(mock: LLMock): unknown[] {
  const body = mock.getLastRequest()?.body as { messages: { role: string; content: unknown }[] };
  return body.messages.filter(({ role }) => role === 'tool').map(({ content }) => content);
}

describe('tools of plugins', () => {
  it('are offered to the model, and its calls run over the bus', async () => {
    const mock = await startCaller({ name: 'add', arguments: '{"a":1,"b":2}' });
    const { llm } = await runWithTools(mock);
    const answer = await llm.execute({ prompt: 'Add 1 and 2', tools: 'all' });
    expect(answer).toMatchObject({
      text: 'done',
      steps: 2,
      finishReason: 'stop',
      toolCalls: [{ id: 'call_0', name: 'add', arguments: { a: 1, b: 2 }, result: 3 }],
    });
    expect(answer.messages.map(({ role }) => role)).toEqual(['assistant', 'tool', 'assistant']);
    expect(toldTo(mock)).toEqual(['3']);
    expect(offeredBy(mock)['add']).toBe('Adds two numbers (tools_001)');
    expect((await llm.stats())?.plugin).toMatchObject({ requests: 2, toolCalls: 1, toolErrors: 0 });
  });

  it('run in parallel', async () => {
    const meet = { name: 'meet', arguments: '{"count":3}' };
    const mock = await startCaller(meet, meet, meet);
    const { llm } = await runWithTools(mock, { tools: ['tools_001'] });
    const { toolCalls } = await llm.chat('Meet');
    expect(toolCalls.map(({ result }) => result)).toEqual(['3 met', '3 met', '3 met']);
  });

  it('are told apart where a server gives two calls one id', async () => {
    const mock = await startMock();
    const ids = ['c', 'c_2', 'c', 'c'];
    const toolCalls = ids.map((id, a) => ({
      id,
      name: 'add',
      arguments: `{"a":${String(a)},"b":10}`,
    }));
    mock.on({ userMessage: /./, hasToolResult: false }, { toolCalls });
    mock.on({ userMessage: /./, hasToolResult: true }, { content: 'done' });
    const { llm } = await runWithTools(mock, { tools: 'all' });
    const told = ['c', 'c_2', 'c_3', 'c_4'].map((id, a) => ({
      id,
      name: 'add',
      arguments: { a, b: 10 },
      result: a + 10,
    }));
    expect((await llm.chat('Add')).toolCalls).toEqual(told);
    const { chunks } = await readAll(llm.stream({ prompt: 'Add' }));
    // here the provider has ids of its own where there are two of one
    const streamed = told.map(({ id: _id, ...rest }) => rest);
    expect(chunks.at(-1)).toMatchObject({ type: 'finish', toolCalls: streamed });
    const calls = chunks.flatMap((part) => (part.type === 'tool-call' ? [part.id] : []));
    expect(new Set(calls).size).toBe(4);
    expect(toldTo(mock)).toEqual(['10', '11', '12', '13']);
  });

  it('are told in a stream as they are called and answer', async () => {
    const mock = await startCaller({ name: 'add', arguments: '{"a":1,"b":2}' }, { name: 'fail' });
    const { llm } = await runWithTools(mock, { tools: 'all' });
    const { chunks, error } = await readAll(llm.stream({ prompt: 'Add' }));
    expect(error).toBeUndefined();
    // results come when they come, each after its call
    expect(
      chunks.map((part) => ('id' in part ? `${part.type} ${part.id}` : part.type)).sort(),
    ).toEqual([
      'finish',
      'text',
      'text',
      'tool-call call_0',
      'tool-call call_1',
      'tool-error call_1',
      'tool-result call_0',
    ]);
    expect(chunks.at(0)).toEqual({ type: 'text', text: 'let me see' });
    expect(chunks.slice(-2)).toMatchObject([
      { type: 'text', text: 'done' },
      { type: 'finish', steps: 2, toolCalls: [{ result: 3 }, { error: 'DRY: the well is dry' }] },
    ]);
    const text = await readAll(llm.stream('Add'));
    expect(text.chunks.join('')).toBe('let me seedone');
  });

  it('are called in the first step where that is required, and then as the model likes', async () => {
    const mock = await startCaller({ name: 'add', arguments: '{"a":1,"b":2}' });
    const { llm } = await runWithTools(mock, { tools: 'all' });
    const answer = await llm.chat({ prompt: 'Add', toolChoice: 'required' });
    expect(answer).toMatchObject({ text: 'done', steps: 2 });
    const choices = mock
      .getRequests()
      .map(({ body }) => (body as { tool_choice: string }).tool_choice);
    expect(choices).toEqual(['required', 'auto']);
  });

  it('are those of all plugins of type tool, of some, or of those with a capability', async () => {
    const mock = await startMock();
    mock.onMessage(/./, { content: 'done' });
    const manager = createManager();
    await addTools(manager, 'a', { only: ['add'] });
    await addTools(manager, 'b', { only: ['fail'], capabilities: ['risky'] });
    await manager.register({ id: 'plain', type: 'tool', entry: fixture('echo.mjs') });
    await manager.register({ id: 'no-tool', type: 'custom', entry: fixture('toolsmith.mjs') });
    const llm = await runLlm(mock, { tools: 'all' }, manager);
    const offered = async (tools?: LlmOptions['tools']) => {
      await llm.chat({ prompt: 'hello', tools });
      return Object.keys(offeredBy(mock));
    };
    expect(await offered()).toEqual(['add', 'fail']);
    expect(await offered([])).toEqual([]);
    expect(await offered(['a'])).toEqual(['add']);
    expect(await offered({ capability: 'risky' })).toEqual(['fail']);
    expect(await offered(['a', { capability: 'risky' }, 'b', 'a'])).toEqual(['add', 'fail']);
    await manager.pause('a');
    expect(await offered()).toEqual(['fail']);
  });

  it('of one name have their plugin before it', async () => {
    const mock = await startCaller({ name: 'b__add', arguments: '{"a":1,"b":2}' });
    const manager = createManager();
    await addTools(manager, 'a', { only: ['add', 'fail'] });
    await addTools(manager, 'b', { only: ['add'] });
    const llm = await runLlm(mock, { tools: 'all' }, manager);
    const { toolCalls } = await llm.chat('Add');
    expect(toolCalls).toMatchObject([{ name: 'b__add', result: 3 }]);
    expect(offeredBy(mock)).toEqual({
      a__add: 'Adds two numbers (a)',
      fail: 'Fails (a)',
      b__add: 'Adds two numbers (b)',
    });
  });

  it('may be a plain plugin, whose input is an argument', async () => {
    const mock = await startCaller({ name: 'words', arguments: '{"input":{"n":1}}' });
    const manager = createManager();
    await manager.register({
      id: 'words',
      type: 'custom',
      description: 'Says it again',
      entry: fixture('echo.mjs'),
    });
    const llm = await runLlm(mock, { tools: [{ plugin: 'words' }] }, manager);
    const { toolCalls } = await llm.chat('Echo');
    expect(toolCalls).toMatchObject([{ name: 'words', result: { n: 1 } }]);
    expect(offeredBy(mock)).toEqual({ words: 'Says it again' });
  });

  it('may be the caller’s own: the answer ends with the call, and goes on with its result', async () => {
    const mock = await startCaller({ name: 'ask_user', arguments: '{"question":"Why?"}' });
    const llm = await runLlm(mock);
    const tools = [{ name: 'ask_user', description: 'Asks', inputSchema: { type: 'object' } }];
    const asked = { role: 'user', content: 'Go' } as const;
    const answer = await llm.chat({ messages: [asked], tools });
    expect(answer).toMatchObject({
      finishReason: 'tool-calls',
      steps: 1,
      toolCalls: [{ id: 'call_0', name: 'ask_user', arguments: { question: 'Why?' } }],
    });
    expect(answer.toolCalls[0]).not.toHaveProperty('result');
    const next = await llm.chat({
      messages: [
        asked,
        ...answer.messages,
        {
          role: 'tool',
          content: [
            {
              type: 'tool-result',
              toolCallId: 'call_0',
              toolName: 'ask_user',
              output: { type: 'text', value: 'Because' },
            },
          ],
        },
      ],
      tools,
    });
    expect([next.text, toldTo(mock)]).toEqual(['done', ['Because']]);
  });

  it('give what JSON does not have as what it has, and long results cut', async () => {
    const mock = await startCaller({ name: 'odd' }, { name: 'long' });
    const { llm } = await runWithTools(mock, { tools: 'all', toolResultCharsMax: 1_000 });
    const { toolCalls } = await llm.chat('Go');
    const [odd, long] = toolCalls.map(({ result }) => result);
    expect(odd).toEqual({ n: '10', s: [1], b: '[3 bytes]' });
    expect(long).toBe(`${'x'.repeat(1_000)}… [cut: 5000 characters in all]`);
  });
});

describe('what goes wrong with a tool is told to the model, and the run goes on', () => {
  it.each([
    ['malformed arguments', { name: 'add', arguments: '{"a":1,' }, /JSON parsing failed/],
    ['an unknown tool', { name: 'subtract' }, /unavailable tool 'subtract'/],
    ['a name that every object has', { name: 'constructor' }, /unavailable tool 'constructor'/],
    ['another one', { name: '__proto__' }, /unavailable tool '__proto__'/],
    ['an error of its own', { name: 'fail' }, /^DRY: the well is dry$/],
    ['a tool that hangs', { name: 'hang' }, /^the tool did not answer within 200 ms$/],
    ['a tool that crashes', { name: 'crash' }, /^the tool crashed while it ran/],
  ])('%s', async (_, wanted, told) => {
    const mock = await startCaller(wanted);
    const { llm } = await runWithTools(mock, { tools: 'all', toolTimeoutMs: 200 });
    const answer = await llm.chat('Go');
    expect(answer).toMatchObject({ text: 'done', finishReason: 'stop', steps: 2 });
    expect(answer.toolCalls).toHaveLength(1);
    expect(answer.toolCalls[0]?.error).toMatch(told);
    expect(toldTo(mock)).toEqual([answer.toolCalls[0]?.error]);
  });

  it('a tool that crashes is back for the next call', async () => {
    const mock = await startMock();
    mock.onTurn(0, /./, { toolCalls: [{ id: 'c0', name: 'crash', arguments: '{}' }] });
    mock.onTurn(1, /./, { toolCalls: [{ id: 'c1', name: 'add', arguments: '{"a":1,"b":2}' }] });
    mock.onTurn(2, /./, { content: 'done' });
    const { llm, manager } = await runWithTools(mock, { tools: 'all' });
    const { toolCalls, text } = await llm.chat('Go');
    expect(toolCalls).toMatchObject([
      { error: expect.stringContaining('crashed') as string },
      { result: 3 },
    ]);
    expect(text).toBe('done');
    expect((await manager.stats('tools_001'))?.restarts).toBe(1);
    expect((await llm.stats())?.plugin).toMatchObject({ toolCalls: 2, toolErrors: 1 });
  });

  it('a refusal, for want of an answer that took longer than a run may', async () => {
    const mock = await startCaller({ name: 'asker' });
    const manager = createManager();
    const limits = { confirmTimeoutMs: 1_500, timeoutMs: 60_000 };
    await manager.register(toolPlugin('tools_001', { tools: TOOLS, ...limits }));
    const llm = await runLlm(mock, { tools: ['tools_001'], toolTimeoutMs: 1_400 }, manager);
    const { toolCalls, text } = await llm.chat('Go');
    const told = "TOOL_REFUSED: 'asker' may not run: nobody answered in 1500 ms";
    expect([text, toolCalls]).toMatchObject(['done', [{ error: told }]]);
    expect(toldTo(mock)).toEqual([told]);
    expect((await manager.stats('tools_001'))?.plugin).toMatchObject({
      errors: { TOOL_REFUSED: 1 },
      confirmations: { asked: 1, unanswered: 1 },
    });
  });

  it('an answer that is none, of a plugin that does not do as agreed', async () => {
    const mock = await startCaller({ name: 'rude' });
    const manager = createManager();
    await manager.register({
      id: 'rude',
      type: 'tool',
      entry: inline(
        `export default ({ op }) =>
           op === 'list' ? [{ name: 'rude', description: '', inputSchema: {} }] : 'hm'`,
      ),
    });
    const llm = await runLlm(mock, { tools: ['rude'] }, manager);
    const { toolCalls } = await llm.chat('Go');
    expect(toolCalls).toMatchObject([{ error: 'the tool gave an answer that is none' }]);
  });
});

describe('a run with tools', () => {
  it('ends with a named error after too many steps', async () => {
    const mock = await startMock();
    const again = { toolCalls: [{ id: 'c', name: 'add', arguments: '{"a":1,"b":2}' }] };
    mock.onMessage(/./, again);
    const { llm } = await runWithTools(mock, { tools: 'all', maxSteps: 3 });
    expect(causeOf(await failureOf(llm.chat('Go')))).toMatchObject({
      code: 'LLM_TOO_MANY_STEPS',
      message: expect.stringContaining('3 steps') as string,
    });
    expect(mock.getRequests()).toHaveLength(3);
    const failure = await failureOf(llm.chat({ prompt: 'Go', maxSteps: 1 }));
    expect(causeOf(failure)).toMatchObject({ code: 'LLM_TOO_MANY_STEPS' });
    const { error } = await readAll(llm.stream({ prompt: 'Go' }));
    expect(error).toMatchObject({ cause: { code: 'LLM_TOO_MANY_STEPS' } });
  });

  it('is refused where a plugin that is named offers none', async () => {
    const manager = createManager();
    await manager.register({ id: 'plain', type: 'tool', entry: fixture('echo.mjs') });
    const llm = await runLlm(await startMock(), {}, manager);
    for (const tools of [['missing'], ['plain'], [{ plugin: 'missing' }]]) {
      const failure = await failureOf(llm.chat({ prompt: 'Go', tools }));
      expect(causeOf(failure)).toMatchObject({ code: 'LLM_NO_TOOLS' });
    }
  });

  it('ends with its call, and so do its tools', async () => {
    const mock = await startCaller({ name: 'hang' });
    const { llm, manager } = await runWithTools(mock, { tools: 'all' });
    const given = new AbortController();
    const answer = llm.chat('Go', { signal: given.signal });
    answer.catch(() => undefined);
    await eventually(async () => {
      // the first was to list them
      const { calls } = (await manager.stats('tools_001')) ?? {};
      expect(calls).toMatchObject({ succeeded: 1, inFlight: 1 });
    });
    given.abort();
    expect((await failureOf(answer)).code).toBe('CALL_ABORTED');
    await eventually(async () => {
      expect((await manager.stats('tools_001'))?.calls).toMatchObject({ aborted: 1 });
    });
  });

  it('may ask another llm plugin, or itself', async () => {
    const mock = await startMock();
    mock.on(
      { userMessage: /^Ask/, hasToolResult: false },
      {
        toolCalls: [{ id: 'c', name: 'llm_001', arguments: '{"input":"Who?"}' }],
      },
    );
    mock.on({ userMessage: /^Ask/, hasToolResult: true }, { content: 'done' });
    mock.onMessage(/^Who/, { content: 'me' });
    const llm = await runLlm(mock, { tools: [{ plugin: 'llm_001', description: 'A colleague' }] });
    expect((await llm.chat('Ask')).toolCalls).toMatchObject([{ result: 'me' }]);
  });
});
