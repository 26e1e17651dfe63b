/** Where a plugin's source is broken: Node says of a module only that it is. */
import { fileURLToPath } from 'node:url';

import { PluginError } from '../protocol/errors.ts';
import type { PluginPlan } from '../protocol/manifest.ts';
import { sourceProblem } from './sources.ts';

/** Of an error without a place, one with file, line and column where they can be found; else itself. */
export async function locate(error: unknown, plan: PluginPlan): Promise<unknown> {
  if (!(error instanceof PluginError) || error.code !== 'LOAD_FAILED') return error;
  const { cause } = error;
  const isSyntax = cause instanceof Error && cause.name === 'SyntaxError';
  if (!isSyntax || plan.entry.protocol !== 'file:') return error;
  const problem = await sourceProblem(fileURLToPath(plan.entry));
  if (problem === undefined) return error;
  const { id } = plan.metadata;
  return new PluginError('LOAD_FAILED', `${id} could not be loaded: ${problem}`, {
    pluginId: id,
    data: error.data,
    cause,
  });
}
