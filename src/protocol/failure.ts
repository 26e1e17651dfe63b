/** What a caller is told of a call that failed, on either side. */
import { decode, type Body } from './codec.ts';
import { PluginError } from './errors.ts';
import { RUNTIME_LIMITS } from './limits.ts';
import { fromWireError, isWireError, toWireError } from './wire-error.ts';

/**
 * Never throws: a body that cannot be read is a failure as well.
 *
 * @param fromRuntime it is a PluginError already; without it, what the plugin threw.
 */
export function failureOf(body: Body, pluginId: string, fromRuntime: boolean): Error {
  const cause = causeIn(body);
  if (fromRuntime && cause) return cause;
  const why = cause?.message ?? 'for no reason given';
  return new PluginError('CALL_FAILED', `${pluginId} failed: ${why}`, { pluginId, cause });
}

function causeIn(body: Body): Error | undefined {
  let wire: unknown;
  try {
    wire = decode(body, RUNTIME_LIMITS);
  } catch (error) {
    wire = toWireError(error);
  }
  return isWireError(wire) ? fromWireError(wire) : undefined;
}
