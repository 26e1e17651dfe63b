/** `ctx`: what a plugin is handed of the world outside its thread. */
import type { Logger, Metrics, PluginContext } from '../plugin.ts';
import type { BootData } from '../protocol/messages.ts';
import type { LastWords } from './crash.ts';
import type { Outbound } from './outbound.ts';
import {
  eventsClient,
  listPlugins,
  lock,
  shared,
  stateClient,
  statsAll,
} from './shared-services.ts';

export interface ContextParts {
  boot: BootData;
  outbound: Outbound;
  log: Logger;
  lastWords: LastWords;
  metrics: Metrics;
  uninterrupted: PluginContext['uninterrupted'];
}

export function createContext({
  boot,
  outbound,
  log,
  lastWords,
  metrics,
  uninterrupted,
}: ContextParts): PluginContext {
  return {
    id: boot.pluginId,
    agentId: boot.agentId,
    generation: boot.generation,
    replica: boot.replica,
    config: boot.config,
    modules: boot.modules,
    log,
    state: stateClient(outbound),
    events: eventsClient(
      outbound,
      (error) => lastWords.crash(error),
      (message) => {
        log.warn(message);
      },
    ),
    lock: (name, fn, options) => lock(outbound, name, fn, options),
    call: async <T>(...args: Parameters<PluginContext['call']>) =>
      (await outbound.call(...args)) as T,
    stream: <T>(...args: Parameters<PluginContext['stream']>) =>
      outbound.stream(...args) as AsyncIterable<T>,
    metrics,
    listPlugins: () => listPlugins(outbound),
    statsAll: () => statsAll(outbound),
    shared: (name, byteLength) => shared(outbound, name, byteLength),
    uninterrupted,
    exit: (reason = 'normal') =>
      reason === 'normal' || reason === 'shutdown'
        ? lastWords.exit(reason)
        : lastWords.crash(reason),
  };
}
