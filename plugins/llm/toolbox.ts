/**
 * Tools of other plugins, offered to the model: who has which is asked over the bus, and so is
 * each call. Whatever goes wrong with a tool is told to the model, which may try something else.
 */
import { jsonSchema, tool, type ToolSet } from 'ai';
import type { PluginContext, PluginListing } from 'troupe/plugin';

import type { LlmConfig } from './config.ts';
import type { OnBehalf } from './guarded-models.ts';
import { readable } from './json-safe.ts';
import { LlmError } from './llm-error.ts';
import type { Tally } from './tally.ts';
import { namesFor } from './tool-names.ts';
import { isToolList, outcomeOf, troubleOf, type ListedTool } from './tool-replies.ts';
import { callTimeoutMs, timesOf, type ToolTimes } from './tool-time.ts';
import type { LlmTools, LlmToolSource } from './types.ts';

/** A plugin that does not list its tools in time is left out. */
const LIST_TIMEOUT_MS = 5_000;

/** Without a capability: whatever they have. */
type Source = LlmToolSource | { capability: undefined };

interface OfferedTool extends ListedTool, ToolTimes {
  pluginId: string;
  /** The plugin itself is the tool: its input is the argument `input`. */
  isPlain: boolean;
}

export interface ToolboxParts {
  ctx: Pick<PluginContext, 'id' | 'call' | 'listPlugins' | 'log'>;
  config: Pick<LlmConfig, 'toolTimeoutMs' | 'toolResultCharsMax'>;
  tally: Tally;
}

export class Toolbox {
  readonly #parts: ToolboxParts;
  /** What each plugin listed last: one that restarts has the same tools afterwards. */
  readonly #known = new Map<string, ListedTool[]>();

  constructor(parts: ToolboxParts) {
    this.#parts = parts;
  }

  /** @throws LlmError `LLM_NO_TOOLS` for a plugin that was named and has none. */
  async offer(tools: LlmTools | undefined, call: OnBehalf): Promise<ToolSet> {
    const sources = sourcesOf(tools);
    if (sources.length === 0) return {};
    const callers = sources.filter((source) => isOfCaller(source));
    const listing = await this.#parts.ctx.listPlugins();
    const lists = await Promise.all(
      sources.map((source) => this.#toolsOf(source, listing, call.signal)),
    );
    const offered = unique(lists.flat());
    const names = namesFor(
      offered,
      callers.map(({ name }) => name),
    );
    // the SDK looks names up in it, which a model may have made up: it has none but its own
    return Object.assign(Object.create(null) as ToolSet, {
      ...Object.fromEntries(
        callers.map(({ name, description, inputSchema }) => [
          name,
          tool({ ...described(description), inputSchema: jsonSchema(inputSchema) }),
        ]),
      ),
      ...Object.fromEntries(
        offered.map((one, at) => [names[at] ?? one.name, this.#toolFor(one, call)]),
      ),
    });
  }

  async #toolsOf(
    source: Source,
    listing: PluginListing[],
    signal: AbortSignal,
  ): Promise<OfferedTool[]> {
    if (typeof source === 'string') return this.#listedBy(source, signal, true);
    if ('name' in source) return [];
    if ('plugin' in source) return [this.#plain(source, listing)];
    const { capability } = source;
    const ids = listing
      .filter(({ id, type, state }) => id !== this.#parts.ctx.id && type === 'tool' && isUp(state))
      .filter(({ capabilities }) => capability === undefined || capabilities.includes(capability))
      .map(({ id }) => id);
    const lists = await Promise.all(ids.map((id) => this.#listedBy(id, signal, false)));
    return lists.flat();
  }

  async #listedBy(id: string, signal: AbortSignal, isNamed: boolean): Promise<OfferedTool[]> {
    const { ctx } = this.#parts;
    let trouble = 'its answer to { op: "list" } is no list of tools';
    try {
      const list = await ctx.call(id, { op: 'list' }, { signal, timeoutMs: LIST_TIMEOUT_MS });
      if (isToolList(list)) this.#known.set(id, list);
      else this.#known.delete(id);
    } catch (error) {
      signal.throwIfAborted();
      trouble = troubleOf(error);
    }
    const tools = this.#known.get(id);
    if (tools) {
      return tools.map(({ name, description, inputSchema, ...more }) =>
        Object.assign(timesOf(more), {
          name,
          description,
          inputSchema,
          pluginId: id,
          isPlain: false,
        }),
      );
    }
    if (isNamed) {
      throw new LlmError('LLM_NO_TOOLS', `the plugin ${id} offers no tools: ${trouble}`);
    }
    ctx.log.debug('a plugin of type tool offers no tools', { plugin: id, trouble });
    return [];
  }

  #plain(
    { plugin, description, inputSchema = {} }: Extract<LlmToolSource, { plugin: string }>,
    listing: PluginListing[],
  ): OfferedTool {
    const found = listing.find(({ id }) => id === plugin);
    if (!found) {
      throw new LlmError('LLM_NO_TOOLS', `there is no plugin ${plugin} to be offered as a tool`);
    }
    return {
      pluginId: plugin,
      isPlain: true,
      name: plugin,
      description: description ?? found.description,
      inputSchema: { type: 'object', properties: { input: inputSchema }, required: ['input'] },
    };
  }

  #toolFor(offered: OfferedTool, call: OnBehalf): ToolSet[string] {
    return tool({
      ...described(offered.description),
      inputSchema: jsonSchema<Record<string, unknown>>({
        type: 'object',
        properties: {},
        ...offered.inputSchema,
      }),
      execute: (args) => this.#run(offered, args, call.signal),
    });
  }

  /** Rejects with what the model is told. */
  async #run(
    { pluginId, isPlain, name, ...times }: OfferedTool,
    args: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<unknown> {
    const { ctx, config, tally } = this.#parts;
    const input = isPlain ? args['input'] : { op: 'call', name, arguments: args };
    const timeoutMs = callTimeoutMs(times, config.toolTimeoutMs);
    try {
      const reply = await ctx.call(pluginId, input, { signal, timeoutMs });
      const result = isPlain ? reply : outcomeOf(reply);
      tally.toolCalled(pluginId, false);
      return readable(result, config.toolResultCharsMax);
    } catch (error) {
      signal.throwIfAborted();
      tally.toolCalled(pluginId, true);
      const trouble = readable(troubleOf(error, timeoutMs), config.toolResultCharsMax);
      throw new Error(String(trouble), { cause: error });
    }
  }
}

function sourcesOf(tools: LlmTools = []): readonly Source[] {
  if (tools === 'all') return [{ capability: undefined }];
  return 'capability' in tools ? [tools] : tools;
}

function isOfCaller(source: Source): source is Extract<LlmToolSource, { name: string }> {
  return typeof source !== 'string' && 'name' in source;
}

/** A plugin may be named, and have a capability that is named as well. */
function unique(tools: readonly OfferedTool[]): OfferedTool[] {
  const byKey = new Map(
    tools.map((one) => [JSON.stringify([one.pluginId, one.isPlain, one.name]), one]),
  );
  return [...byKey.values()];
}

function described(description: string | undefined): { description?: string } {
  return description ? { description } : {};
}

/** It takes calls; one that restarts answers when it is back. */
function isUp(state: PluginListing['state']): boolean {
  return state === 'running' || state === 'restarting';
}
