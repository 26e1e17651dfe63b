/** From a checked spec to a plan: defaults filled in, the entry resolved and kept inside its folder. */
import { existsSync, lstatSync, realpathSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import semver from 'semver';

import { CodecError } from '../protocol/codec-error.ts';
import { bodyOf, decode, encode } from '../protocol/codec.ts';
import { PluginError } from '../protocol/errors.ts';
import {
  DEFAULT_LIMITS,
  DEFAULT_MAILBOX,
  DEFAULT_RELOAD,
  DEFAULT_RESTART,
  DEFAULT_SCRIPT,
  POOL_IDLE_MS,
  SCRIPT_CALL_TIMEOUT_MS,
  type ThreadsOptions,
} from '../protocol/limits.ts';
import type {
  CarrierKind,
  Dependency,
  DependencySpec,
  HostKind,
  PluginMetadata,
  PluginPlan,
  PluginSpec,
  ScriptPlan,
} from '../protocol/manifest.ts';
import { accessOf } from './access.ts';
import { replicasOf } from './replicas.ts';
import { secretsOf } from './secrets.ts';
import { wasmPlanOf } from './wasm-plan.ts';

const SCRIPT = /\.m?js$/;

/** @param folder of the plugin.json the spec came from; without it, the embedding program gave it. */
export function planOf(spec: PluginSpec, folder?: string): PluginPlan {
  const metadata = metadataOf(spec);
  const { path: location, sha256 } = entryOf(spec);
  const resolve = (file: string | URL, field: string): URL =>
    folder === undefined
      ? programEntry(spec.id, file, field)
      : manifestEntry(spec.id, file, folder, field);
  const entry = resolve(location, 'entry');
  const host = spec.host ?? (entry.pathname.endsWith('.wasm') ? 'wasm' : 'module');
  const script = scriptOf(spec, entry, folder);
  const limits = {
    ...DEFAULT_LIMITS,
    ...(script ? { callTimeoutMs: SCRIPT_CALL_TIMEOUT_MS } : {}),
    ...defined(spec.limits),
  };
  const threads = threadsOf(spec);
  const config = checkedConfig(spec);
  const env = environment(spec.permissions?.env ?? []);
  const access = accessOf(spec, entry, folder);
  return {
    metadata,
    dependencies: metadata.dependencies.map((dependency) => dependencyOf(spec.id, dependency)),
    entry,
    sha256: sha256?.toLowerCase(),
    modules: modulesOf(spec, host, resolve),
    host,
    isolation: spec.isolation ?? 'thread',
    carrier: carrierOf(spec),
    config,
    enabled: spec.enabled ?? true,
    autoStart: spec.autoStart ?? true,
    concurrency: threads?.max ?? spec.concurrency ?? 1,
    threads,
    replicas: replicasOf(spec),
    script,
    mailbox: { ...DEFAULT_MAILBOX, ...defined(spec.mailbox) },
    limits,
    restart: {
      ...DEFAULT_RESTART,
      ...defined(spec.restart),
      backoff: { ...DEFAULT_RESTART.backoff, ...defined(spec.restart?.backoff) },
    },
    reload: { ...DEFAULT_RELOAD, ...defined(spec.reload) },
    env,
    secrets: secretsOf(spec, config, env),
    access,
    wasm: wasmPlanOf(spec, { host, entry, access, resolve }),
  };
}

function modulesOf(
  { id, modules = {} }: PluginSpec,
  host: HostKind,
  resolve: (file: string | URL, field: string) => URL,
): Record<string, URL> {
  const all = Object.entries(modules);
  if (all.length > 0 && host !== 'module') {
    const what = `"modules" is for host 'module', and this plugin is a ${host}; remove it`;
    throw invalid(id, what, { field: 'modules' });
  }
  return Object.fromEntries(all.map(([name, file]) => [name, resolve(file, `modules.${name}`)]));
}

/** @throws PluginError `INVALID_SPEC` for what is no script, or makes no sense without one. */
function scriptOf(
  { id, host, script }: PluginSpec,
  entry: URL,
  folder?: string,
): ScriptPlan | undefined {
  if (host !== 'script') {
    if (script === undefined) return undefined;
    const what = `"script" is for host 'script'; remove it, or set "host": "script"`;
    throw invalid(id, what, { field: 'script' });
  }
  if (entry.protocol !== 'file:') {
    throw invalid(id, '"entry": a script is a file', { field: 'entry' });
  }
  const file = fileURLToPath(entry);
  if (!SCRIPT.test(file)) {
    const what = `"entry": a script is plain JavaScript, in a file that ends in .js or .mjs; compile ${path.basename(file)} first, or use host 'module'`;
    throw invalid(id, what, { field: 'entry' });
  }
  return {
    folder: folder === undefined ? path.dirname(file) : path.resolve(folder),
    ...DEFAULT_SCRIPT,
    ...defined(script),
  };
}

/** @throws PluginError `INVALID_SPEC` for what makes no sense in a pool, or only there. */
function threadsOf({
  id,
  isolation,
  threads,
  concurrency,
  restart,
  reload,
}: PluginSpec): ThreadsOptions | undefined {
  if (isolation !== 'pool') {
    if (threads === undefined) return undefined;
    const what = `"threads" is for isolation 'pool'; remove it, or set "isolation": "pool"`;
    throw invalid(id, what, { field: 'threads' });
  }
  if (concurrency !== undefined && concurrency !== 1) {
    const what = `"concurrency": a thread of a pool is inside one call at a time; set threads.max`;
    throw invalid(id, what, { field: 'concurrency' });
  }
  if (restart?.fromSnapshot === true) {
    const what = `"restart.fromSnapshot": a pool keeps no state; use isolation 'thread' or 'process'`;
    throw invalid(id, what, { field: 'restart' });
  }
  if (reload?.preserveState === true) {
    const what = `"reload.preserveState": a pool keeps no state; remove it, or use isolation 'thread' or 'process'`;
    throw invalid(id, what, { field: 'reload' });
  }
  const given = typeof threads === 'number' ? { min: threads, max: threads } : defined(threads);
  const cores = os.availableParallelism();
  const max = given.max ?? Math.max(cores, given.min ?? 1);
  const { min = 1, idleMs = POOL_IDLE_MS } = given;
  if (min > max) {
    const what = `"threads.min": ${String(min)} is more than threads.max (${String(max)})`;
    throw invalid(id, what, { field: 'threads' });
  }
  return { min, max, idleMs };
}

function carrierOf({ id, isolation = 'thread', carrier }: PluginSpec): CarrierKind {
  if (carrier !== undefined && isolation === 'process') {
    throw invalid(id, `"carrier" is about threads; its isolation is '${isolation}'`, {
      field: 'carrier',
    });
  }
  return carrier ?? 'auto';
}

function metadataOf(spec: PluginSpec): PluginMetadata {
  const version = spec.version ?? '1.0.0';
  if (!semver.valid(version)) {
    throw invalid(spec.id, `"version": ${version} is not semver, for example 1.0.0`, {
      field: 'version',
    });
  }
  return {
    id: spec.id,
    name: spec.name ?? spec.id,
    type: spec.type,
    version,
    description: spec.description ?? '',
    author: spec.author ?? '',
    capabilities: [...(spec.capabilities ?? [])],
    priority: spec.priority ?? 0,
    dependencies: [...(spec.dependencies ?? [])],
  };
}

function dependencyOf(pluginId: string, spec: DependencySpec): Dependency {
  const { id, range, optional } =
    typeof spec === 'string'
      ? splitDependency(spec)
      : { optional: false, range: undefined, ...spec };
  if (range !== undefined && semver.validRange(range) === null) {
    throw invalid(pluginId, `"dependencies": ${range} is no semver range`, {
      field: 'dependencies',
    });
  }
  return { id, range, optional: optional ?? false };
}

function splitDependency(text: string): {
  id: string;
  range: string | undefined;
  optional: boolean;
} {
  const at = text.indexOf('@', 1);
  return at < 0
    ? { id: text, range: undefined, optional: false }
    : { id: text.slice(0, at), range: text.slice(at + 1), optional: false };
}

function entryOf({ entry }: PluginSpec): { path: string | URL; sha256: string | undefined } {
  return typeof entry === 'string' || entry instanceof URL
    ? { path: entry, sha256: undefined }
    : { path: entry.path, sha256: entry.sha256 };
}

/** The embedding program may give any URL, or a path from its working directory. */
function programEntry(id: string, location: string | URL, field: string): URL {
  if (location instanceof URL) return location;
  if (/^(file|data):/.test(location)) {
    if (URL.canParse(location)) return new URL(location);
    throw invalid(id, `"${field}" is no URL`, { field });
  }
  if (location.includes('\0')) throw invalid(id, `"${field}": a path has no NUL`, { field });
  return pathToFileURL(path.resolve(location));
}

/** A manifest may only name a file below its own folder, links included. */
function manifestEntry(id: string, location: string | URL, folder: string, field: string): URL {
  const text = String(location);
  let decoded = text;
  try {
    decoded = decodeURIComponent(text);
  } catch {
    // a lone % is a legal file name
  }
  const escapes = [text, decoded].some(
    (name) =>
      name.includes('\0') ||
      /^[a-z][a-z\d+.-]*:/i.test(name) ||
      path.posix.isAbsolute(name) ||
      path.win32.isAbsolute(name) ||
      name.split(/[\\/]/).includes('..'),
  );
  if (escapes) throw outside(id, text, field);
  const file = path.join(folder, text);
  if (isDangling(file) || !isInside(realPath(file), realPath(folder)))
    throw outside(id, text, field);
  return pathToFileURL(file);
}

function outside(id: string, location: string, field: string): PluginError {
  const what = `"${field}": ${JSON.stringify(location)} is not a path inside the plugin's folder`;
  return invalid(id, what, { field });
}

/** A link to what is not there yet may lead anywhere. */
function isDangling(file: string): boolean {
  return !existsSync(file) && lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

/** A file that is missing is refused later, when it is loaded. */
function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return path.resolve(realPathOfParent(file), path.basename(file));
  }
}

function realPathOfParent(file: string): string {
  const parent = path.dirname(file);
  return parent === file ? file : realPath(parent);
}

function isInside(file: string, folder: string): boolean {
  const relative = path.relative(folder, file);
  const leaves = relative === '..' || relative.startsWith(`..${path.sep}`);
  return relative !== '' && !leaves && !path.isAbsolute(relative);
}

/** The path of an entry as a message may show it: relative, where it lies below here. */
export function shownEntry(entry: URL): string {
  if (entry.protocol !== 'file:') return `${entry.protocol}…`;
  const file = fileURLToPath(entry);
  const relative = path.relative(process.cwd(), file);
  return relative.startsWith('..') ? path.basename(file) : relative;
}

function checkedConfig({ id, config = {}, limits }: PluginSpec): Record<string, unknown> {
  try {
    const payload = encode(config, { ...DEFAULT_LIMITS, ...defined(limits) });
    // a copy: who changes the spec later changes no plan
    return decode(bodyOf(payload), DEFAULT_LIMITS) as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw invalid(id, `"config" cannot be sent to the plugin: ${error.message}`, {
      field: 'config',
    });
  }
}

function environment(names: readonly string[]): Record<string, string> {
  const entries = names.flatMap((name): [string, string][] => {
    const value = Object.hasOwn(process.env, name) ? process.env[name] : undefined;
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(entries);
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Without the keys whose value is undefined: those mean "the default". */
function defined<T extends object>(options: T | undefined): Partial<Defined<T>> {
  const entries = Object.entries(options ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<Defined<T>>;
}

function invalid(id: string, what: string, data: Record<string, unknown>): PluginError {
  return new PluginError('INVALID_SPEC', `the spec of ${id} is not valid: ${what}`, {
    pluginId: id,
    data,
  });
}
