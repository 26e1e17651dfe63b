/** Options of the factory, checked by name, and made settings. */
import { PluginError, type DependencySpec } from 'troupe';

import type { SpecOptions } from '../spec-options.ts';
import { weightsProblem } from './score.ts';
import { DEFAULTS, NAME_CHARS_MAX, type EmbedderSetting, type MemorySettings } from './settings.ts';
import type { MemoryOptions } from './spec.ts';

type Own = Omit<MemoryOptions, keyof SpecOptions>;

const TIME_MS_MAX = 2_147_483_647;
/** A vector index goes through every vector at each search. */
const ENTRIES_MAX = 1_000_000;
const DIMENSIONS_MAX = 16_384;

const KNOWN = new Set<string>([
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
] satisfies (keyof Own)[]);

/** @throws PluginError `INVALID_SPEC`, naming the option. */
export function settingsOf(id: string, options: Own, spec: SpecOptions): MemorySettings {
  const check = new Check(id);
  const unknown = Object.keys(options).find((name) => !KNOWN.has(name));
  if (unknown !== undefined) {
    throw check.refused(unknown, `is unknown; there are ${[...KNOWN].join(', ')}`);
  }
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
    embedderModel: check.text('embedderModel', options.embedderModel),
    dimensions: whole('dimensions', DIMENSIONS_MAX),
    embedBatch: whole('embedBatch', 4_096) ?? DEFAULTS.embedBatch,
    embedTimeoutMs: whole('embedTimeoutMs', TIME_MS_MAX) ?? DEFAULTS.embedTimeoutMs,
    storage: pluginId('storage', options.storage, check),
    storageNamespace: check.text('storageNamespace', options.storageNamespace) ?? `memory:${id}`,
    storageTimeoutMs: whole('storageTimeoutMs', TIME_MS_MAX) ?? DEFAULTS.storageTimeoutMs,
    rebuildTimeoutMs: whole('rebuildTimeoutMs', TIME_MS_MAX / 2) ?? DEFAULTS.rebuildTimeoutMs,
    maxEntries,
    maxEntriesPerNamespace: whole('maxEntriesPerNamespace', ENTRIES_MAX) ?? maxEntries,
    textCharsMax: whole('textCharsMax', 1_000_000) ?? DEFAULTS.textCharsMax,
    metadataCharsMax: whole('metadataCharsMax', 1_000_000) ?? DEFAULTS.metadataCharsMax,
    ttlMs: whole('ttlMs', Number.MAX_SAFE_INTEGER / 2),
    sweepMs: whole('sweepMs', TIME_MS_MAX) ?? DEFAULTS.sweepMs,
    weights: check.weights('weights', { ...DEFAULTS.weights }, options.weights),
    hybridWeights: check.weights(
      'hybridWeights',
      { ...DEFAULTS.hybridWeights },
      options.hybridWeights,
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

function embedderOf(given: unknown, check: Check): EmbedderSetting | undefined {
  if (given instanceof URL) return { module: given.href };
  const plugin = pluginId('embedder', given, check, ', or the URL object of a module');
  return plugin === undefined ? undefined : { plugin };
}

function pluginId(name: string, given: unknown, check: Check, or = ''): string | undefined {
  if (given === undefined) return undefined;
  if (typeof given !== 'string' || given === '') {
    throw check.refused(name, `must be the id of a plugin${or}`);
  }
  if (given === check.id) throw check.refused(name, 'must be another plugin than itself');
  return given;
}

function moduleUrl(given: unknown, check: Check): string | undefined {
  if (given === undefined) return undefined;
  if (given instanceof URL) return given.href;
  throw check.refused('tokenizer', 'must be the URL object of a module');
}

class Check {
  readonly id: string;

  constructor(id: string) {
    this.id = id;
  }

  refused(name: string, problem: string): PluginError {
    const message = `${this.id}: option ${name} ${problem}`;
    return new PluginError('INVALID_SPEC', message, { pluginId: this.id });
  }

  number(
    name: string,
    given: unknown,
    { min, max = Infinity, isWhole = false }: { min: number; max?: number; isWhole?: boolean },
  ): number | undefined {
    if (given === undefined) return undefined;
    const isOne =
      typeof given === 'number' &&
      (isWhole ? Number.isSafeInteger(given) : Number.isFinite(given)) &&
      given >= min &&
      given <= max;
    if (isOne) return given;
    const range = max === Infinity ? `from ${String(min)}` : `${String(min)} to ${String(max)}`;
    throw this.refused(name, `must be a ${isWhole ? 'whole ' : ''}number, ${range}`);
  }

  text(name: string, given: unknown): string | undefined {
    if (given === undefined) return undefined;
    if (typeof given === 'string' && given !== '' && given.length <= NAME_CHARS_MAX) return given;
    throw this.refused(name, `must be a text of 1 to ${String(NAME_CHARS_MAX)} characters`);
  }

  flag(name: string, given: unknown): boolean | undefined {
    if (given === undefined || typeof given === 'boolean') return given;
    throw this.refused(name, 'must be true or false');
  }

  weights<T extends object>(name: string, defaults: T, given: unknown): T {
    if (given === undefined) return defaults;
    const problem = weightsProblem(given, Object.keys(defaults));
    if (problem !== undefined) throw this.refused(name, problem);
    const weights = { ...defaults, ...(given as Partial<T>) };
    const values: unknown[] = Object.values(weights);
    if (values.some((weight) => weight !== 0)) return weights;
    throw this.refused(name, 'must not all be 0');
  }
}
