/** Runs a tool as the tool plugin would, without a plugin around it. */
import type { PluginContext, ToolCall, ToolDefinition } from '../../src/plugin.ts';

export interface RunOptions {
  signal?: AbortSignal;
  checkpoint?: () => void;
}

/** What it gives, or the code of the error it throws. */
export async function outcomeOf(
  tool: ToolDefinition,
  args: Record<string, unknown>,
  options?: RunOptions,
): Promise<unknown> {
  try {
    return await tool.execute(args, toolCall(options));
  } catch (error) {
    if (error instanceof Error && 'code' in error && 'name' in error) return error.code;
    throw error;
  }
}

/** What it gives; its error is thrown. */
export async function runTool<T>(
  tool: ToolDefinition,
  args: Record<string, unknown>,
  options?: RunOptions,
): Promise<T> {
  return (await tool.execute(args, toolCall(options))) as T;
}

function toolCall({
  signal = new AbortController().signal,
  checkpoint = () => signal.throwIfAborted(),
}: RunOptions = {}): ToolCall {
  return {
    id: 'tools-1-1',
    tool: 'it',
    signal,
    deadline: Infinity,
    ctx: {} as PluginContext,
    progress: () => undefined,
    checkpoint,
  };
}
