/** Options of the factory, checked by name, and made settings. */
import type { DependencySpec } from 'troupe';

import { TIME_MS_MAX, unknownIn } from '../input.ts';
import { OptionCheck } from '../option-check.ts';
import { invalidOptions, type SpecOptions } from '../spec-options.ts';
import { weightsProblem } from './score.ts';
import { DEFAULTS, NAME_CHARS_MAX, type EmbedderSetting, type MemorySettings } from './settings.ts';
import type { MemoryOptions } from './spec.ts';

type Own = Omit<MemoryOptions, keyof SpecOptions>;

/** A vector index goes through every vector at each search. */
const ENTRIES_MAX = 1_000_000;
const DIMENSIONS_MAX = 16_384;

const KNOWN: readonly string[] = [
  'embedder',
  'embedderModel',
  'dimensions',
  'embedBatch',
  'embedTimeoutMs',
  'storage',
  'storageNamespace',
  'storageTimeoutMs',
  'rebuildTimeoutMs',
  'maxEntries',
  'maxEntriesPerNamespace',
  'textCharsMax',
  'metadataCharsMax',
  'ttlMs',
  'sweepMs',
  'weights',
  'hybridWeights',
  'halfLifeMs',
  'stemming',
  'tokenizer',
  'messageTokens',
] satisfies (keyof Own)[];

/** @throws PluginError `INVALID_SPEC`, naming the option. */
export function settingsOf(id: string, options: Own, spec: SpecOptions): MemorySettings {
  const check = new OptionCheck(id);
  const unknown = unknownIn({ ...options }, KNOWN);
  if (unknown !== undefined) throw invalidOptions(id, `there is no option ${unknown}`);
  if (spec.isolation === 'pool') {
    const problem =
      "'pool' is many threads, which would each remember something else; use 'thread'";
    throw check.refused('isolation', problem);
  }
  const whole = (name: keyof Own, max: number, min = 1): number | undefined =>
    check.number(name, options[name], { min, max, isWhole: true });
  const maxEntries = whole('maxEntries', ENTRIES_MAX) ?? DEFAULTS.maxEntries;
  return {
    embedder: embedderOf(options.embedder, check),
    embedderModel: check.text('embedderModel', options.embedderModel, NAME_CHARS_MAX),
    dimensions: whole('dimensions', DIMENSIONS_MAX),
    embedBatch: whole('embedBatch', 4_096) ?? DEFAULTS.embedBatch,
    embedTimeoutMs: whole('embedTimeoutMs', TIME_MS_MAX) ?? DEFAULTS.embedTimeoutMs,
    storage: pluginId('storage', options.storage, check),
    storageNamespace:
      check.text('storageNamespace', options.storageNamespace, NAME_CHARS_MAX) ?? `memory:${id}`,
    storageTimeoutMs: whole('storageTimeoutMs', TIME_MS_MAX) ?? DEFAULTS.storageTimeoutMs,
    rebuildTimeoutMs: whole('rebuildTimeoutMs', TIME_MS_MAX / 2) ?? DEFAULTS.rebuildTimeoutMs,
    maxEntries,
    maxEntriesPerNamespace: whole('maxEntriesPerNamespace', ENTRIES_MAX) ?? maxEntries,
    textCharsMax: whole('textCharsMax', 1_000_000) ?? DEFAULTS.textCharsMax,
    metadataCharsMax: whole('metadataCharsMax', 1_000_000) ?? DEFAULTS.metadataCharsMax,
    ttlMs: whole('ttlMs', Number.MAX_SAFE_INTEGER / 2),
    sweepMs: whole('sweepMs', TIME_MS_MAX) ?? DEFAULTS.sweepMs,
    weights: weightsOf(
      'weights',
      { defaults: { ...DEFAULTS.weights }, given: options.weights },
      check,
    ),
    hybridWeights: weightsOf(
      'hybridWeights',
      { defaults: { ...DEFAULTS.hybridWeights }, given: options.hybridWeights },
      check,
    ),
    halfLifeMs: check.number('halfLifeMs', options.halfLifeMs, { min: 1 }) ?? DEFAULTS.halfLifeMs,
    stemming: check.flag('stemming', options.stemming) ?? DEFAULTS.stemming,
    tokenizer: moduleUrl(options.tokenizer, check),
    messageTokens: whole('messageTokens', 1_000, 0) ?? DEFAULTS.messageTokens,
  };
}

/** Storage and embedder are there first, whatever else the user wants to be. */
export function dependenciesOf(
  { storage, embedder }: MemorySettings,
  given: readonly DependencySpec[] = [],
): DependencySpec[] {
  const needed = [storage, embedder && 'plugin' in embedder ? embedder.plugin : undefined];
  const named = new Set(given.map((each) => (typeof each === 'string' ? each : each.id)));
  const isNamed = (id: string): boolean =>
    [...named].some((name) => name === id || name.startsWith(`${id}@`));
  const more = needed.filter((id): id is string => id !== undefined && !isNamed(id));
  return [...given, ...new Set(more)];
}

export function modulesOf({ embedder, tokenizer }: MemorySettings): Record<string, string> {
  return {
    ...(embedder && 'module' in embedder && { embedder: embedder.module }),
    ...(tokenizer !== undefined && { tokenizer }),
  };
}

function embedderOf(given: unknown, check: OptionCheck): EmbedderSetting | undefined {
  if (given instanceof URL) return { module: given.href };
  const plugin = pluginId('embedder', given, check, ', or the URL object of a module');
  return plugin === undefined ? undefined : { plugin };
}

function pluginId(name: string, given: unknown, check: OptionCheck, or = ''): string | undefined {
  if (given === undefined) return undefined;
  if (typeof given !== 'string' || given === '') {
    throw check.refused(name, `must be the id of a plugin${or}`);
  }
  if (given === check.id) throw check.refused(name, 'must be another plugin than itself');
  return given;
}

function moduleUrl(given: unknown, check: OptionCheck): string | undefined {
  if (given === undefined) return undefined;
  if (given instanceof URL) return given.href;
  throw check.refused('tokenizer', 'must be the URL object of a module');
}

function weightsOf<T extends object>(
  name: keyof Own,
  { defaults, given }: { defaults: T; given: unknown },
  check: OptionCheck,
): T {
  if (given === undefined) return defaults;
  const problem = weightsProblem(given, Object.keys(defaults));
  if (problem !== undefined) throw check.refused(name, problem);
  const weights = { ...defaults, ...(given as Partial<T>) };
  const values: unknown[] = Object.values(weights);
  if (values.some((weight) => weight !== 0)) return weights;
  throw check.refused(name, 'must not all be 0');
}
