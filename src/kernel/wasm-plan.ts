/** From what a spec says of a WebAssembly plugin to its plan. */
import { PluginError } from '../protocol/errors.ts';
import type { Access, HostKind, PluginSpec } from '../protocol/manifest.ts';
import {
  DEFAULT_WASM_LIMITS,
  MAIN_MODULE,
  WASM_PAGE_BYTES,
  type HttpHost,
  type HttpRule,
  type WasmModuleFile,
  type WasmOptions,
  type WasmPlan,
} from '../protocol/wasm.ts';

/** What the plan of the plugin says already. */
export interface WasmPlanScope {
  host: HostKind;
  entry: URL;
  access: Access | undefined;
  /** A path as the spec has it; `field` is where it stands. */
  resolve: (location: string | URL, field: string) => URL;
}

/** Names that a guest's imports have anyway. */
const RESERVED = new Set([
  MAIN_MODULE,
  'env',
  'extism:host/env',
  'troupe:host/env',
  'wasi_snapshot_preview1',
]);

/** @throws PluginError `INVALID_SPEC`. */
export function wasmPlanOf(spec: PluginSpec, scope: WasmPlanScope): WasmPlan | undefined {
  if (scope.host !== 'wasm') {
    const field = spec.wasm ? 'wasm' : spec.permissions?.http ? 'permissions.http' : undefined;
    if (field === undefined) return undefined;
    throw invalid(spec, field, `is for host 'wasm' only, and this plugin is a ${scope.host}`);
  }
  if (spec.concurrency !== undefined && spec.concurrency !== 1) {
    const what = "a guest is inside one call at a time; use isolation 'pool' with threads";
    throw invalid(spec, 'concurrency', what);
  }
  const options: WasmOptions = spec.wasm ?? {};
  const { hostFunctions, wasi = false } = options;
  return {
    function: options.function,
    output: options.output ?? 'auto',
    wasi,
    modules: modulesOf(spec, options, scope),
    hostFunctions:
      hostFunctions === undefined ? undefined : scope.resolve(hostFunctions, 'wasm.hostFunctions'),
    folders: wasi ? foldersOf(spec, scope) : [],
    http: (spec.permissions?.http ?? []).map(ruleOf),
    memoryPagesMax: pagesOf(spec, options),
    variableBytesMax: options.variableBytesMax ?? DEFAULT_WASM_LIMITS.variableBytesMax,
    httpBytesMax: options.httpBytesMax ?? DEFAULT_WASM_LIMITS.httpBytesMax,
    httpTimeoutMs: options.httpTimeoutMs ?? DEFAULT_WASM_LIMITS.httpTimeoutMs,
  };
}

function modulesOf(
  spec: PluginSpec,
  { modules = {} }: WasmOptions,
  { resolve }: WasmPlanScope,
): WasmModuleFile[] {
  return Object.entries(modules).map(([name, file]) => {
    const field = `wasm.modules.${name}`;
    if (RESERVED.has(name)) {
      throw invalid(spec, field, `a module cannot have the name ${name}: it has a meaning already`);
    }
    const isPath = typeof file === 'string' || file instanceof URL;
    const { path, sha256 } = isPath ? { path: file, sha256: undefined } : file;
    return { name, url: resolve(path, field), sha256: sha256?.toLowerCase() };
  });
}

/** Node's WASI opens a folder for reading and writing alike. */
function foldersOf(spec: PluginSpec, { entry, access }: WasmPlanScope): string[] {
  if (!access) return [];
  // the plugin's own folder comes first, and is for loading it
  const read = entry.protocol === 'file:' ? access.read.slice(1) : access.read;
  const { write } = access;
  const lone = [...read, ...write].find((path) => !read.includes(path) || !write.includes(path));
  if (lone !== undefined) {
    const what = 'WASI opens folders for reading and writing: name each under read and write';
    throw invalid(spec, 'permissions.fs', what);
  }
  if (write.includes('*')) {
    throw invalid(spec, 'permissions.fs', 'WASI opens single folders: name them, instead of *');
  }
  return [...write];
}

/** Where less fits into what the thread may hold: a third of it each for the guest, its values and the rest. */
function pagesOf({ limits }: PluginSpec, { memoryPagesMax }: WasmOptions): number {
  if (memoryPagesMax !== undefined) return memoryPagesMax;
  const { memoryMb = Number.POSITIVE_INFINITY } = limits ?? {};
  const fitting = Math.floor((memoryMb * 1024 * 1024) / 3 / WASM_PAGE_BYTES);
  return Math.min(DEFAULT_WASM_LIMITS.memoryPagesMax, fitting);
}

function ruleOf(given: HttpHost): HttpRule {
  const { host, private: isPrivate = false } =
    typeof given === 'string' ? { host: given, private: false } : given;
  const [, name = host, port] = /^(.*?)(?::(\d+))?$/.exec(host) ?? [];
  return {
    host: name.toLowerCase(),
    port: port === undefined ? undefined : Number(port),
    private: isPrivate,
  };
}

function invalid({ id }: PluginSpec, field: string, what: string): PluginError {
  return new PluginError('INVALID_SPEC', `the spec of ${id} is not valid: "${field}" ${what}`, {
    pluginId: id,
    data: { field },
  });
}
