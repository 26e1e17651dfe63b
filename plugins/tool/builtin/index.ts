/** The built-in tools by name; each is imported where it is used. */
import type { ToolDefinition } from 'troupe/plugin';

import type { BuiltinSource, ToolSource } from '../sources.ts';

type Source = Extract<ToolSource, { kind: 'builtin' }>;

/** @throws Error that says what of its options cannot be used on this machine. */
export async function createBuiltin(source: Source): Promise<ToolDefinition> {
  return named(await made(source), source);
}

async function made(source: Source): Promise<ToolDefinition> {
  switch (source.builtin) {
    case 'http_request':
      return (await import('./http-request.ts')).httpRequest(source.options);
    case 'filesystem':
      return (await import('./filesystem.ts')).filesystem(source.options);
    case 'shell':
      return (await import('./shell.ts')).shell(source.options);
    case 'calculator':
      return (await import('./calculator.ts')).calculator();
    case 'datetime':
      return (await import('./datetime.ts')).datetime();
    case 'json':
      return (await import('./json.ts')).json(source.options);
    case 'script':
      return (await import('./script.ts')).script(source.options);
  }
}

/** What its user says of it wins. */
function named(
  tool: ToolDefinition,
  { name, description, confirm, timeoutMs }: BuiltinSource,
): ToolDefinition {
  return {
    ...tool,
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
    ...(confirm !== undefined && { confirm }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
}
