/** How a group ends, as its parent and its children hear of it. */
import { PluginError } from '../protocol/errors.ts';
import type { EndReport } from './machine.ts';

/** A group that ends by itself always ends by a fault, and may do better next time. */
export function reportOf(error: PluginError): EndReport {
  return { end: 'abnormal', error, permanent: false };
}

export function gaveUp(group: string, why: string, cause: PluginError): PluginError {
  return new PluginError(
    'PLUGIN_STOPPED',
    `the group ${group} gave up (${why}): ${cause.message}`,
    {
      pluginId: cause.pluginId,
      data: { group, why },
      cause,
    },
  );
}

export function stopped(group: string): PluginError {
  return new PluginError('PLUGIN_STOPPED', `the group ${group} was stopped`, { data: { group } });
}
