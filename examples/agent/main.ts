/**
 * An agent that answers a shop's customers: several tools a question, one of which crashes in the
 * middle and comes back, with a memory that outlives the program.
 *
 *   node --import tsx examples/agent/main.ts                  a scripted model, no network
 *   OPENAI_BASE_URL=… OPENAI_API_KEY=… TROUPE_LLM_MODEL=… \
 *     node --import tsx examples/agent/main.ts --live "Where is my order 1042?"
 *
 * `--folder PATH`: what it remembers is kept there; without it, in a temporary one.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline/promises';
import { parseArgs, styleText } from 'node:util';

import { openDesk, type Desk, type DeskPart } from './desk.ts';

const QUESTIONS = [
  'Where is my order 1042, and what is express shipping for 3 kg?',
  'I want a refund for order 1042.',
  'What have I asked you about?',
];
const CUSTOMER = 'ada';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    live: { type: 'boolean', default: false },
    folder: { type: 'string' },
  },
});
process.exitCode = await main();

async function main(): Promise<number> {
  const model = values.live
    ? undefined
    : await (await import('./scripted-model.ts')).startScriptedModel();
  const folder = values.folder ?? (await mkdtemp(path.join(os.tmpdir(), 'troupe-agent-')));
  let desk: Desk | undefined;
  try {
    desk = await openDesk({
      llm: model?.llm ?? {},
      folder,
      confirm: ({ message }) => agree(message),
      onAlert: ({ message, state }) => {
        say('alert', `${message} (${state})`);
      },
    });
    const questions = positionals.length > 0 ? positionals : QUESTIONS;
    for (const text of questions) await converse(desk, text);
    await report(desk);
    return 0;
  } catch (error) {
    for (const problem of problemsOf(error)) say('error', problem);
    return 1;
  } finally {
    await desk?.close();
    await model?.stop();
    if (values.folder === undefined) await rm(folder, { recursive: true, force: true });
  }
}

/** What did not come up, one line each. */
function problemsOf(error: unknown): string[] {
  if (error instanceof AggregateError) return error.errors.flatMap(problemsOf);
  return [error instanceof Error ? error.message : String(error)];
}

async function converse(desk: Desk, text: string): Promise<void> {
  process.stdout.write(`\n${styleText('bold', `${CUSTOMER}: ${text}`)}\n`);
  let column = 0;
  for await (const part of desk.ask({ customer: CUSTOMER, text })) {
    if (part.type === 'text') {
      process.stdout.write(part.text);
      column += part.text.length;
      continue;
    }
    if (column > 0) process.stdout.write('\n');
    column = 0;
    show(part);
  }
}

function show(part: DeskPart): void {
  if (part.type === 'recalled' && part.texts.length > 0) say('memory', part.texts.join(' | '));
  if (part.type === 'tool-call') say('tool', `${part.name}(${JSON.stringify(part.arguments)})`);
  if (part.type === 'tool-result') say('tool', `${part.name} → ${JSON.stringify(part.result)}`);
  if (part.type === 'tool-error') say('tool', `${part.name} failed: ${part.error}`);
  if (part.type === 'finish') {
    say('model', `${String(part.steps)} steps, ${String(part.usage.totalTokens)} tokens`);
  }
}

async function report({ manager, memory }: Desk): Promise<void> {
  const orders = await manager.stats('orders');
  process.stdout.write('\n');
  say(
    'orders',
    `crashed ${String(orders?.calls.crashed ?? 0)} time, generation ${String(orders?.generation ?? 0)}`,
  );
  say('memory', `${String(await memory.count({ namespace: CUSTOMER }))} entries of ${CUSTOMER}`);
  say('tokens', JSON.stringify((await manager.stats('llm'))?.plugin['totalTokens']));
}

/** A terminal is asked; anything else agrees. */
async function agree(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    say('confirm', `${question} yes (no terminal to ask)`);
    return true;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y/i.test(await terminal.question(`${question} [y/n] `));
  } finally {
    terminal.close();
  }
}

function say(who: string, what: string): void {
  process.stdout.write(`${styleText('dim', `  ${who.padEnd(8)} ${what}`)}\n`);
}
