/**
 * The programs of the page that Troupe carries over to TypeScript (MoFA's "Plugin System
 * Overview"), line by line: what a reader of that page wants to write can be written.
 */
import { PluginManager } from 'troupe';
import { llmPlugin, storagePlugin, toolPlugin, type LlmOptions } from 'troupe/plugins';
import { describe, expect, it, onTestFinished } from 'vitest';

import { temporaryFolder } from '../support/files.ts';
import { startMock } from '../support/llm.ts';

const ANSWER = 'Paris is the capital of France.';

async function startModel(): Promise<LlmOptions> {
  const mock = await startMock();
  mock.onMessage('What is the capital of France?', { content: ANSWER });
  return { baseUrl: `${mock.url}/v1`, model: 'gpt-test' };
}

/** A manager with the three plugins of the page, all of them running. */
async function startAgent(): Promise<PluginManager> {
  const options = await startModel();
  const manager = new PluginManager('my_agent');
  onTestFinished(async () => void (await manager.close()));
  await manager.register(llmPlugin('llm_001', { name: 'Model', ...options }));
  await manager.register(toolPlugin('tools_001', { tools: ['calculator'] }));
  await manager.register(storagePlugin('storage_001', { path: await temporaryFolder() }));
  await manager.up();
  return manager;
}

describe('the programs of the seed', () => {
  it('Plugin Manager: registers, brings up, asks, and cleans up', async () => {
    const options = await startModel();

    // Create plugin manager
    const manager = new PluginManager('my_agent');

    // Register plugins
    await manager.register(llmPlugin('llm_001', options));
    await manager.register(toolPlugin('tools_001', { tools: ['calculator'] }));
    await manager.register(storagePlugin('storage_001', { path: await temporaryFolder() }));

    // Initialize all plugins
    await manager.loadAll();
    await manager.initAll();
    await manager.startAll();

    // Execute plugin
    const result = await manager.execute('llm_001', 'What is the capital of France?');
    const line = `Result: ${String(result)}`;

    // Cleanup
    await manager.stopAll();
    await manager.unloadAll();

    expect(line).toBe(`Result: ${ANSWER}`);
    expect(manager.listPlugins().map(({ state }) => state)).toEqual([
      'unloaded',
      'unloaded',
      'unloaded',
    ]);
  });

  it('Plugin Context: state is shared, and configuration goes to the plugin', async () => {
    // Create context
    const manager = new PluginManager('my_agent');
    onTestFinished(async () => void (await manager.close()));
    const ctx = manager.context;

    // Set shared state
    await ctx.state.set('counter', 42);
    await ctx.state.set('session_id', 'abc123');

    // Get shared state
    const counter = await ctx.state.get<number>('counter');
    const session = await ctx.state.get<string>('session_id');
    expect([counter, session]).toEqual([42, 'abc123']);

    // Configure plugin
    const config = { timeout: 30, enabled: true, api_key: 'sk-...' };

    // The plugin context can be shared across plugins
    await manager.register({
      id: 'reader',
      type: 'custom',
      entry: `data:text/javascript,import { definePlugin } from '${import.meta.resolve('troupe/plugin')}';
        export default definePlugin((ctx) => ({
          execute: async () => [await ctx.state.get('counter'), ctx.config],
        }))`,
      config,
      secrets: ['api_key'],
    });
    await manager.up();
    expect(await manager.execute('reader')).toEqual([42, config]);
  });

  it('Health Checks: every plugin is asked, and the model plugin has counted', async () => {
    const manager = await startAgent();
    await manager.execute('llm_001', 'What is the capital of France?');
    const lines: string[] = [];

    // Check all plugins
    const health = await manager.healthCheckAll();
    for (const [id, healthy] of health) {
      lines.push(`Plugin ${id}: ${healthy ? '✓ Healthy' : '✗ Unhealthy'}`);
    }

    // Get plugin statistics
    const stats = await manager.stats('llm_001');
    if (stats) {
      lines.push(`Call count: ${String(stats.calls.started)}`);
      lines.push(`Total tokens: ${String(stats.plugin['totalTokens'])}`);
    }

    expect(lines.slice(0, 4)).toEqual([
      'Plugin llm_001: ✓ Healthy',
      'Plugin tools_001: ✓ Healthy',
      'Plugin storage_001: ✓ Healthy',
      'Call count: 1',
    ]);
    expect(lines[4]).toMatch(/^Total tokens: [1-9]\d*$/);
  });

  it('Plugin Discovery: lists and filters plugins', async () => {
    const manager = await startAgent();
    const lines: string[] = [];

    // List all plugins
    const plugins = manager.listPlugins();
    for (const plugin of plugins) {
      lines.push(`- ${plugin.name} (${plugin.id}): ${plugin.description}`);
    }

    // Get plugins by type
    const llmPlugins = manager.getByType('llm');
    const toolPlugins = manager.getByType('tool');
    lines.push(`LLM plugins: ${JSON.stringify(llmPlugins)}`);
    lines.push(`Tool plugins: ${JSON.stringify(toolPlugins)}`);

    expect(lines).toEqual([
      '- Model (llm_001): Asks a language model.',
      '- Tools (tools_001): Serves tools that models and programs call by name.',
      '- Storage (storage_001): Keeps values of any kind under keys.',
      'LLM plugins: ["llm_001"]',
      'Tool plugins: ["tools_001"]',
    ]);
  });
});
