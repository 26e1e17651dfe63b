/**
 * A model that plays its part by a script, behind a server with the real wire format: so that the
 * example runs without a network and without a key, the same each time.
 */
import { LLMock } from '@copilotkit/aimock';

export interface ScriptedModel {
  llm: { baseUrl: string; apiKey: string; model: string };
  stop(): Promise<void>;
}

interface Message {
  role: string;
  content?: unknown;
}

interface Wanted {
  name: string;
  arguments: Record<string, unknown>;
}

export async function startScriptedModel(): Promise<ScriptedModel> {
  const mock = new LLMock({ port: 0, chunkSize: 8 });
  mock.on({ predicate: () => true }, ({ messages }) => reply(messages));
  await mock.start();
  return {
    llm: { baseUrl: `${mock.url}/v1`, apiKey: 'none-needed', model: 'scripted' },
    stop: () => mock.stop(),
  };
}

function reply(messages: readonly Message[]) {
  const asked = messages.findLastIndex(({ role }) => role === 'user');
  const question = textOf(messages[asked]);
  const results = messages
    .slice(asked)
    .filter(({ role }) => role === 'tool')
    .map(textOf);
  if (/refund|back/i.test(question)) return refund(results);
  if (/shipping/i.test(question)) return whereAndHowMuch(results);
  const known = messages.find(
    ({ role, ...rest }) => role === 'system' && /Known of/.test(textOf(rest)),
  );
  return { content: known ? `You asked before: ${textOf(known)}` : 'How can I help?' };
}

/** Two tools at once; then once more the one that failed. */
function whereAndHowMuch(results: readonly string[]) {
  const order = results.find((result) => result.includes('"status"'));
  const price = results.find((result) => result.includes('value'));
  const find = { name: 'find_order', arguments: { number: 1042 } };
  const reckon = { name: 'calculator', arguments: { expression: '4.90 + 3 * 1.35' } };
  if (results.length === 0) return calls(find, reckon);
  if (!order) return calls(find);
  return { content: `Order 1042: ${order}. Express shipping of 3 kg: ${price ?? 'unknown'}.` };
}

function refund(results: readonly string[]) {
  if (results.length === 0) return calls({ name: 'refund_order', arguments: { number: 1042 } });
  return { content: `The refund: ${results.join(' ')}` };
}

let called = 0;

function calls(...wanted: Wanted[]) {
  return {
    toolCalls: wanted.map(({ name, arguments: args }) => ({
      id: `call_${String(++called)}`,
      name,
      arguments: JSON.stringify(args),
    })),
  };
}

function textOf(message: Pick<Message, 'content'> | undefined): string {
  const content = message?.content;
  return typeof content === 'string' ? content : JSON.stringify(content ?? '');
}
