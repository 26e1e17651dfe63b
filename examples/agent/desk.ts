/**
 * The support desk of a small shop: an agent of five kinds of plugins. A language model decides,
 * tools do, memory remembers who asked what, storage keeps it on disk, a monitor watches. What
 * holds them together is `ask`.
 */
import path from 'node:path';

import { PluginManager } from 'troupe';
import {
  llmPlugin,
  memoryPlugin,
  monitorPlugin,
  onToolConfirm,
  storagePlugin,
  toolPlugin,
  type LlmMessage,
  type LlmOptions,
  type LlmPart,
  type MonitorAlert,
  type ToolConfirmRequest,
} from 'troupe/plugins';

const SYSTEM =
  'You answer customers of a small shop. Use the tools for facts; if one fails, try it once more.';
const WINDOW_TOKENS = 2_000;
const RECALLED = 3;

export interface DeskOptions {
  /** Where the model is: any OpenAI-compatible endpoint. What is not said, the environment says. */
  llm: Pick<LlmOptions, 'baseUrl' | 'apiKey' | 'model' | 'embeddingModel'>;
  /** What it remembers is kept here. */
  folder: string;
  /** Asked before money is given back. */
  confirm: (request: ToolConfirmRequest) => boolean | Promise<boolean>;
  onAlert?: (alert: MonitorAlert) => void;
}

export interface Question {
  customer: string;
  text: string;
}

/** What an answer is made of, as it comes. */
export type DeskPart = LlmPart | { type: 'recalled'; texts: string[] };

export async function openDesk({ llm: endpoint, folder, confirm, onAlert }: DeskOptions) {
  const manager = new PluginManager('desk', { logs: 'silent' });
  const embedder = endpoint.embeddingModel === undefined ? {} : { embedder: 'llm' };
  const orders = [new URL('./orders.mjs', import.meta.url)];
  const specs = {
    llm: llmPlugin('llm', { ...endpoint, system: SYSTEM, tools: 'all', maxSteps: 6 }),
    storage: storagePlugin('storage', { path: path.join(folder, 'desk') }),
    memory: memoryPlugin('memory', { storage: 'storage', ...embedder }),
    monitor: monitorPlugin('monitor', {
      intervalMs: 100,
      rules: [
        {
          name: 'orders crash',
          type: 'rate',
          metric: 'troupe_crashes_total',
          labels: { plugin: 'orders' },
          above: 0,
          overMs: 2_000,
          message: 'the plugin orders crashed',
        },
      ],
    }),
  };
  for (const spec of Object.values(specs)) await manager.register(spec);
  await manager.register(
    toolPlugin('orders', { tools: orders, restart: { backoff: { minMs: 0 } } }),
  );
  await manager.register(toolPlugin('desk-tools', { tools: ['calculator', 'datetime'] }));
  onToolConfirm(manager, confirm);
  manager.context.events.on<MonitorAlert>('monitor.alert', ({ data }) => onAlert?.(data));
  try {
    await manager.up();
  } catch (error) {
    await manager.close();
    throw error;
  }
  const [llm, memory, storage, monitor] = [
    manager.plugin(specs.llm),
    manager.plugin(specs.memory),
    manager.plugin(specs.storage),
    manager.plugin(specs.monitor),
  ];

  async function* ask({ customer, text }: Question): AsyncGenerator<DeskPart> {
    const startedAt = performance.now();
    const { hits } = await memory.search(text, { namespace: customer, limit: RECALLED });
    const recalled = hits.map((hit) => hit.text);
    yield { type: 'recalled', texts: recalled };
    const earlier = await memory.window(customer, WINDOW_TOKENS, { namespace: customer });
    const messages: LlmMessage[] = [
      ...(recalled.length === 0
        ? []
        : [{ role: 'system' as const, content: `Known of ${customer}: ${recalled.join(' | ')}` }]),
      ...earlier.messages.map(({ role, text: content }) => ({
        role: role === 'assistant' ? ('assistant' as const) : ('user' as const),
        content,
      })),
      { role: 'user', content: text },
    ];
    let answer = '';
    for await (const part of llm.stream({ messages })) {
      if (part.type === 'text') answer += part.text;
      yield part;
    }
    const inConversation = { namespace: customer, conversation: customer };
    await memory.add(text, { ...inConversation, role: 'user', importance: 0.7 });
    await memory.add(answer, { ...inConversation, role: 'assistant' });
    await storage.put(`last answer/${customer}`, { text, answer, at: new Date() });
    await monitor.record('desk_answer_ms', performance.now() - startedAt, { labels: { customer } });
  }

  return {
    manager,
    llm,
    memory,
    storage,
    monitor,
    ask,
    close: () => manager.close(),
  };
}

export type Desk = Awaited<ReturnType<typeof openDesk>>;
