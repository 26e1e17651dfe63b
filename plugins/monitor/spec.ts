/** The monitor's spec: `monitorPlugin(id, options)`. Runs on the main thread. */
import {
  typedSpec,
  type ExecuteOptions,
  type PluginHandle,
  type PluginSpec,
  type TypedSpec,
} from 'troupe';

import { fieldsOf } from '../call-options.ts';
import { messageOf } from '../coded-error.ts';
import { invalidOptions, splitOptions, type SpecOptions } from '../spec-options.ts';
import { readConfig } from './read-config.ts';
import type {
  AlertListing,
  MonitorConfig,
  MonitorInput,
  MonitorOps,
  MonitorOutput,
  NotifyTarget,
  QueryResult,
  Recording,
  Retention,
  Rule,
  SeriesListing,
  SeriesQuery,
} from './types.ts';

export interface MonitorOptions extends SpecOptions {
  /** Between two looks at all plugins (ms). Default 1,000; from 10. */
  intervalMs?: number;
  /** From fine to coarse. Default: 1 s for 5 min, 10 s for 1 h, 1 min for 24 h. */
  retention?: Retention[];
  /** Series that are kept; a histogram counts as eight. Default 2,000. */
  seriesMax?: number;
  rules?: Rule[];
  /** For rules that say nothing else. Default: nobody, beside the event. */
  notify?: NotifyTarget | NotifyTarget[];
}

/** What the handle of a monitor has beside the verbs. */
export interface MonitorMethods {
  /** Adds a sample of the program's own. */
  record(
    name: string,
    value: number,
    options?: Pick<Recording, 'labels' | 'kind'> & ExecuteOptions,
  ): Promise<void>;
  query(query: SeriesQuery & ExecuteOptions): Promise<QueryResult>;
  series(
    filter?: Pick<SeriesQuery, 'labels'> & { name?: string } & ExecuteOptions,
  ): Promise<SeriesListing[]>;
  /** Adds a rule, or puts it in the place of the one of its name. */
  rule(rule: Rule, options?: ExecuteOptions): Promise<{ name: string; replaced: boolean }>;
  rules(options?: ExecuteOptions): Promise<Rule[]>;
  /** Whether there was one; what fires of it resolves. */
  unrule(name: string, options?: ExecuteOptions): Promise<boolean>;
  alerts(options?: ExecuteOptions): Promise<AlertListing>;
  execute<I extends MonitorInput>(
    input: I,
    options?: ExecuteOptions,
  ): Promise<MonitorOps[I['op']]['output']>;
}

/**
 * A plugin that keeps metrics of all plugins as time series, and tells alerts by rules.
 *
 * @throws PluginError `INVALID_SPEC` that names the option.
 *
 * @example
 * const monitor = await manager.register(monitorPlugin('monitor', {
 *   rules: [{ name: 'queue', type: 'threshold', metric: 'troupe_calls_queued', above: 100, forMs: 5_000 }],
 * }));
 */
export function monitorPlugin(
  id: string,
  options: MonitorOptions = {},
): TypedSpec<MonitorInput, MonitorOutput, MonitorMethods> {
  const { spec, own } = splitOptions(options);
  if (spec.isolation === 'pool') {
    throw invalidOptions(
      id,
      `"isolation": a monitor keeps what it saw, which the threads of a pool cannot`,
    );
  }
  const config = checked(id, own);
  return typedSpec(
    {
      id,
      type: 'monitor',
      name: 'Monitor',
      description: 'Metrics of all plugins as time series, and alerts by rules.',
      capabilities: ['metrics', 'alerts'],
      entry: new URL('./plugin.js', import.meta.url),
      ...spec,
      config: { ...config },
      secrets: secretPaths(config),
    } satisfies PluginSpec,
    methods,
  );
}

function methods(plugin: PluginHandle<MonitorInput, MonitorOutput>): MonitorMethods {
  const execute: MonitorMethods['execute'] = async (input, options) => {
    const answer: unknown = await plugin.execute(input, options);
    // the op that is asked and its answer belong together
    return answer as never;
  };
  return {
    execute,
    record: (name, value, options) =>
      execute({ op: 'record', name, value, ...fieldsOf(options) }, options),
    query: (query) => execute({ op: 'query', ...fieldsOf(query) }, query),
    series: (filter) => execute({ op: 'series', ...fieldsOf(filter) }, filter),
    rule: (rule, options) => execute({ op: 'rule', ...rule }, options),
    rules: (options) => execute({ op: 'rules' }, options),
    unrule: (name, options) => execute({ op: 'unrule', name }, options),
    alerts: (options) => execute({ op: 'alerts' }, options),
  };
}

function checked(id: string, options: object): MonitorConfig {
  try {
    return readConfig(options);
  } catch (error) {
    throw invalidOptions(id, messageOf(error));
  }
}

/** Addresses of webhooks and their headers often hold a token. */
function secretPaths({ rules, notify }: MonitorConfig): string[] {
  return [
    ...pathsOf(notify, 'notify'),
    ...rules.flatMap((rule, at) => {
      const targets = rule.notify ?? [];
      return pathsOf(Array.isArray(targets) ? targets : [targets], `rules.${String(at)}.notify`);
    }),
  ];
}

function pathsOf(targets: readonly NotifyTarget[], path: string): string[] {
  return targets.flatMap((target, at) => {
    if ('plugin' in target) return [];
    const here = `${path}.${String(at)}`;
    return [`${here}.url`, ...(target.headers ? [`${here}.headers`] : [])];
  });
}
