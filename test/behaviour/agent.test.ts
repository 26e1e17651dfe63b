/** The example examples/agent: five kinds of plugins, tools over the bus, one that crashes in the middle. */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { expect, it, onTestFinished } from 'vitest';

import { openDesk, type Desk, type DeskOptions, type DeskPart } from '../../examples/agent/desk.ts';
import { startScriptedModel } from '../../examples/agent/scripted-model.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/files.ts';
import { unusedUrl } from '../support/llm.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

async function openAt(folder: string, options: Partial<DeskOptions> = {}): Promise<Desk> {
  const model = await startScriptedModel();
  const desk = await openDesk({ llm: model.llm, folder, confirm: () => true, ...options });
  onTestFinished(async () => {
    await desk.close();
    await model.stop();
  });
  return desk;
}

async function answerOf(desk: Desk, text: string): Promise<DeskPart[]> {
  const parts: DeskPart[] = [];
  for await (const part of desk.ask({ customer: 'ada', text })) parts.push(part);
  return parts;
}

const textOf = (parts: DeskPart[]): string =>
  parts.map((part) => (part.type === 'text' ? part.text : '')).join('');

const namesOf = (parts: DeskPart[]): string[] =>
  parts.flatMap((part) => ('name' in part ? [`${part.type} ${part.name}`] : []));

it('answers over several steps, though a tool crashes in the middle and comes back', async () => {
  const alerts: string[] = [];
  const desk = await openAt(await temporaryFolder(), {
    onAlert: ({ rule, state }) => alerts.push(`${rule}: ${state}`),
  });
  const parts = await answerOf(desk, 'Where is my order 1042, and what is express shipping?');
  const names = namesOf(parts);
  expect(names.slice(0, 2)).toEqual(['tool-call find_order', 'tool-call calculator']);
  expect(names.toSorted()).toEqual([
    'tool-call calculator',
    'tool-call find_order',
    'tool-call find_order',
    'tool-error find_order',
    'tool-result calculator',
    'tool-result find_order',
  ]);
  expect(textOf(parts)).toContain('on its way');
  expect(textOf(parts)).toContain('8.95');
  // it came in pieces
  expect(parts.filter(({ type }) => type === 'text').length).toBeGreaterThan(3);
  expect(parts.at(-1)).toMatchObject({ type: 'finish', steps: 3, finishReason: 'stop' });
  expect(await desk.manager.stats('orders')).toMatchObject({
    state: 'running',
    generation: 2,
    calls: { crashed: 1, succeeded: expect.any(Number) as unknown },
  });
  for (const id of ['llm', 'storage', 'memory', 'monitor', 'desk-tools']) {
    expect(await desk.manager.stats(id)).toMatchObject({ generation: 1, restarts: 0 });
  }
  await eventually(() => {
    expect(alerts).toEqual(['orders crash: firing', 'orders crash: resolved']);
  });
});

it('asks before it gives money back, and takes no for an answer', async () => {
  const asked: string[] = [];
  let allows = false;
  const desk = await openAt(await temporaryFolder(), {
    confirm: ({ message }) => {
      asked.push(message);
      return allows;
    },
  });
  const refused = await answerOf(desk, 'A refund for order 1042, please');
  expect(namesOf(refused)).toEqual(['tool-call refund_order', 'tool-error refund_order']);
  expect(await desk.manager.context.state.get('refunds')).toBeUndefined();
  allows = true;
  const allowed = await answerOf(desk, 'A refund for order 1042, please');
  expect(namesOf(allowed)).toEqual(['tool-call refund_order', 'tool-result refund_order']);
  expect(await desk.manager.context.state.get('refunds')).toEqual([1042]);
  expect(asked).toEqual(Array(2).fill('Give the money of order 1042 back?'));
});

it('remembers a customer beyond its own end', async () => {
  const folder = await temporaryFolder();
  const first = await openAt(folder);
  expect(textOf(await answerOf(first, 'Do you sell lamps?'))).toBe('How can I help?');
  expect((await first.close()).clean).toBe(true);
  const second = await openAt(folder);
  const parts = await answerOf(second, 'What about lamps did I ask?');
  expect(parts[0]).toMatchObject({
    type: 'recalled',
    texts: expect.arrayContaining(['Do you sell lamps?']) as unknown,
  });
  expect(textOf(parts)).toContain('Do you sell lamps?');
  expect(await second.storage.get('last answer/ada')).toMatchObject({
    text: 'What about lamps did I ask?',
    at: expect.any(Date) as unknown,
  });
  expect((await second.monitor.query({ name: 'desk_answer_ms' })).series).toHaveLength(1);
});

it('runs as it is in the repository, and ends by itself', async () => {
  const { code, stdout, stderr } = await runMain([]);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain('orders   crashed 1 time, generation 2');
  expect(stdout).toContain('memory   6 entries of ada');
});

it.each([
  [
    'is configured',
    () => Promise.resolve({}),
    /^ {2}error {4}llm failed in init: there is no endpoint: .*$/,
  ],
  [
    'answers',
    async () => ({ OPENAI_BASE_URL: `${await unusedUrl()}/v1`, TROUPE_LLM_MODEL: 'm' }),
    /^ {2}error {4}llm failed: cannot reach http:.*$/,
  ],
])('says in a line where no endpoint %s, and leaves nothing behind', async (_, env, said) => {
  const folder = await temporaryFolder();
  const { code, stdout, stderr } = await runMain(['--live', 'hello'], {
    ...(await env()),
    TMPDIR: folder,
  });
  expect([code, stderr]).toEqual([1, '']);
  const lines = stdout.split('\n').filter((line) => line !== '' && line !== 'ada: hello');
  expect(lines).toEqual([expect.stringMatching(said)]);
  expect((await readdir(folder)).filter((name) => name.startsWith('troupe-'))).toEqual([]);
});

/** The program, without what the environment says of an endpoint. */
async function runMain(args: string[], env: Record<string, string> = {}) {
  const { OPENAI_BASE_URL: _url, TROUPE_LLM_MODEL: _model, ...rest } = process.env;
  const run = promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', 'examples/agent/main.ts', ...args],
    { cwd: ROOT, timeout: 50_000, env: { ...rest, NO_COLOR: '1', ...env } },
  );
  const { stdout, stderr } = await run.catch((error: unknown) => error as Awaited<typeof run>);
  return { code: run.child.exitCode, stdout, stderr };
}
