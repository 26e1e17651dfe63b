import type { IncomingMessage } from 'node:http';
import process from 'node:process';
import { inspect } from 'node:util';

import type { KernelEvent } from 'troupe';
import { llmPlugin } from 'troupe/plugins';
import { expect, it, onTestFinished } from 'vitest';

import { recordEvents } from '../support/events.ts';
import { completion, delta, EVENTS, FAST_RETRIES, JSON_TYPE, startRaw } from '../support/llm.ts';
import { createManager } from '../support/manager.ts';
import { failureOf, readAll } from '../support/outcomes.ts';

const KEY = 'sk-live-a1b2c3d4e5f6';
const TENANT = 'tenant-9f8e7d6c';
/** No part of a key that somebody could start from. */
const TRACES = ['sk-live', 'a1b2', 'e5f6', 'tenant-9f', '7d6c'];

function shownOf(value: unknown): string {
  const json = JSON.stringify(value, (_, part: unknown) =>
    part instanceof Map ? [...part] : part,
  );
  const stack = value instanceof Error ? value.stack : '';
  return [json, inspect(value, { depth: 20, showHidden: true }), stack].join('\n');
}

function expectClean(value: unknown): void {
  const shown = shownOf(value);
  expect(TRACES.filter((trace) => shown.includes(trace))).toEqual([]);
}

/** Whatever is asked, this server says what it was told in confidence. */
async function startGossip() {
  return startRaw((response, { headers }, at) => {
    const said = saidTo(headers);
    const answers = [
      () => response.writeHead(401, JSON_TYPE).end(errorWith(`wrong key ${said}`)),
      () => response.writeHead(400, JSON_TYPE).end(errorWith(`${'x'.repeat(490)}${said}`)),
      () => response.writeHead(503, { 'x-key': said }).end(said),
      () => response.writeHead(200, JSON_TYPE).end(`{"${said}`),
      () => response.writeHead(200, EVENTS).end(delta('one') + `data: ${errorWith(said)}\n\n`),
      () => response.writeHead(200, EVENTS).end(`${delta('one')}data: {"choices":"${said}"}\n\n`),
    ];
    const answer = answers[at];
    if (answer) answer();
    else response.writeHead(200, JSON_TYPE).end(completion('fine'));
  });
}

function saidTo(headers: IncomingMessage['headers']): string {
  return `${headers.authorization ?? ''} ${String(headers['x-tenant'])}`;
}

function errorWith(message: string): string {
  return JSON.stringify({ error: { message, type: 't', code: 'c' } });
}

it.each(['an option', 'the environment'])(
  'a key from %s is in no error, log, event, metric or stack, also where the server says it',
  async (from) => {
    const manager = createManager();
    const events: KernelEvent[] = recordEvents(manager);
    const server = await startGossip();
    if (from === 'the environment') {
      process.env['LLM_TEST_KEY'] = KEY;
      onTestFinished(() => {
        delete process.env['LLM_TEST_KEY'];
      });
    }
    const llm = await manager.register(
      llmPlugin('llm_001', {
        baseUrl: `${server.url}/v1`,
        model: 'gpt-test',
        headers: { 'x-tenant': TENANT },
        retries: { ...FAST_RETRIES, max: 0 },
        ...(from === 'an option' ? { apiKey: KEY } : { apiKeyEnv: 'LLM_TEST_KEY' }),
      }),
    );
    await manager.up();
    const troubles: unknown[] = [];
    for (let at = 0; at < 4; at++) troubles.push(await failureOf(llm.execute('hello')));
    for (let at = 0; at < 2; at++) troubles.push((await readAll(llm.stream('hello'))).error);
    expect(await llm.execute('hello')).toBe('fine');
    expect(server.asked.map(({ headers }) => saidTo(headers))).toEqual(
      Array.from({ length: 7 }, () => `Bearer ${KEY} ${TENANT}`),
    );
    // what the server said is told, but for the key
    expect(shownOf(troubles)).toContain('wrong key Bearer [secret] [secret]');
    for (const trouble of troubles) expectClean(trouble);
    expectClean([await llm.stats(), await llm.health(), manager.listPlugins(), llm]);
    expect(await llm.reload()).toMatchObject({ ok: true });
    await manager.close();
    expectClean([events, manager.deadLetters()]);
  },
);
