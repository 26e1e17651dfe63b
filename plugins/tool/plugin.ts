/** Serves tools: checks what they are given and what they return, asks where they want it, and tells them. */
import { definePlugin } from 'troupe/plugin';

import { listTools, mcpTools, openAiTools, openCatalog, type Catalog } from './catalog.ts';
import { Confirmations } from './confirmations.ts';
import { decodeInput } from './input.ts';
import { ABANDONED_MAX, Runner } from './runner.ts';
import type { ToolConfig } from './sources.ts';
import { Tally } from './tally.ts';
import type { ToolAnswer } from './types.ts';

export default definePlugin<unknown, ToolAnswer>((ctx) => {
  const config = ctx.config as unknown as ToolConfig;
  const confirmations = new Confirmations(ctx, config);
  const tally = new Tally(ctx.metrics);
  let served: { catalog: Catalog; runner: Runner } | undefined;
  return {
    async init() {
      const catalog = await openCatalog({ ...config, modules: ctx.modules });
      served = { catalog, runner: new Runner({ ctx, catalog, confirmations, tally }) };
    },
    async execute(input, call) {
      if (!served) throw new Error('the tools are not there yet');
      const asked = decodeInput(input);
      if (asked.op === 'call') return served.runner.run(asked, call);
      if (asked.format === 'openai') return openAiTools(served.catalog);
      return asked.format === 'mcp' ? mcpTools(served.catalog) : listTools(served.catalog);
    },
    unload: () => confirmations.close(),
    health() {
      const stuck = tally.stuck(ABANDONED_MAX);
      if (stuck.length === 0) return { healthy: true, tools: served?.catalog.size ?? 0 };
      return { healthy: false, reason: `runs that do not end: ${stuck.join(', ')}`, stuck };
    },
    stats: () => ({ ...tally.stats(), confirmations: confirmations.stats() }),
  };
});
