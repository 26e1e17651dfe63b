/** A manager with one tool plugin that is up. */
import { PluginManager, type TypedHandle } from 'troupe';
import {
  toolPlugin,
  type ToolAnswer,
  type ToolInput,
  type ToolMethods,
  type ToolOptions,
} from 'troupe/plugins';
import { onTestFinished } from 'vitest';

export const TOOLS = new URL('../fixtures/tools.mjs', import.meta.url);

export interface ToolScene {
  manager: PluginManager;
  tools: TypedHandle<ToolInput, ToolAnswer, ToolMethods>;
}

export async function toolScene(options: Partial<ToolOptions> = {}): Promise<ToolScene> {
  const manager = new PluginManager('tool-test', { logs: 'silent' });
  onTestFinished(async () => void (await manager.close()));
  const tools = await manager.register(toolPlugin('tools', { tools: TOOLS, ...options }));
  await manager.up();
  return { manager, tools };
}
