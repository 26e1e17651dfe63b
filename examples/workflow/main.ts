/**
 * A workflow in a script that orchestrates three plugins: calls in parallel, a condition, a retry,
 * and a stream that is passed through.
 *
 *   node --import tsx examples/workflow/main.ts
 */
import { fileURLToPath } from 'node:url';

import { PluginManager, type PluginSpec } from 'troupe';

export interface Outcome {
  short: unknown;
  long: unknown;
  summary: string;
  served: unknown;
}

export async function runWorkflow(): Promise<Outcome> {
  await using manager = new PluginManager('workflow', { logs: 'silent' });
  for (const id of ['measure', 'flaky', 'words']) await manager.register(pluginOf(id, `${id}.mjs`));
  await manager.register({
    ...pluginOf('workflow', 'workflow.js'),
    host: 'script',
    config: { longFrom: 10 },
    script: { memoryMb: 16 },
  });
  await manager.up();
  const short = await manager.execute('workflow', { order: 'measure', texts: ['ab', 'cd'] });
  const long = await manager.execute('workflow', { order: 'measure', texts: ['a long', ' text'] });
  let summary = '';
  for await (const chunk of manager.stream('workflow', {
    order: 'summarise',
    texts: ['one two', 'three'],
  })) {
    summary += String(chunk);
  }
  const served = (await manager.stats('workflow'))?.plugin['served'];
  return { short, long, summary, served };
}

function pluginOf(id: string, file: string): PluginSpec {
  return { id, type: 'tool', entry: new URL(file, import.meta.url) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(`${JSON.stringify(await runWorkflow(), null, 2)}\n`);
}
