/**
 * Instantiates the modules of a guest, each with what it imports: from the host, or from another
 * of them. Modules may import from each other in a circle, as long as what goes round is functions.
 */
import type { WasmMemoryImport } from '../../protocol/wasm-boot.ts';
import { GuestError } from './guest-error.ts';

export interface LinkedModule {
  name: string;
  module: WebAssembly.Module;
  memoryImports: readonly WasmMemoryImport[];
}

/** What the host gives, by module and name. Some of it belongs to one instance alone. */
export type Provided = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

export interface LinkScope {
  modules: readonly LinkedModule[];
  /** `memory` is there as soon as the instance is. */
  providedTo: (module: LinkedModule, memory: () => WebAssembly.Memory | undefined) => Provided;
  /** Once it is there, and before anything imports from it. */
  ready: (module: LinkedModule, instance: WebAssembly.Instance) => void;
  /** How what is missing could be had. */
  hint: (missing: WebAssembly.ModuleImport) => string;
}

/** The memory that a module may ask its host for, as AssemblyScript does with `--importMemory`. */
const HOST_MEMORY = { module: 'env', name: 'memory' };

/** @throws GuestError for imports that nobody gives; what the engine says of others. */
export function link(scope: LinkScope): Map<string, WebAssembly.Instance> {
  const instances = new Map<string, WebAssembly.Instance>();
  const underWay: string[] = [];
  const byName = new Map(scope.modules.map((module) => [module.name, module]));

  const instanceOf = (module: LinkedModule): WebAssembly.Instance | undefined => {
    const known = instances.get(module.name);
    if (known || underWay.includes(module.name)) return known;
    underWay.push(module.name);
    const made = new WebAssembly.Instance(module.module, importsOf(module));
    underWay.pop();
    instances.set(module.name, made);
    scope.ready(module, made);
    return made;
  };

  const importsOf = (module: LinkedModule): WebAssembly.Imports => {
    const provided = scope.providedTo(module, () => memoryOf(instances.get(module.name)));
    const imports: WebAssembly.Imports = {};
    const missing: WebAssembly.ModuleImport[] = [];
    for (const wanted of WebAssembly.Module.imports(module.module)) {
      const from = (imports[wanted.module] ??= {});
      const given =
        own(provided.get(wanted.module), wanted.name) ??
        fromModule(module, wanted) ??
        hostMemory(module, wanted);
      if (given === undefined) missing.push(wanted);
      else from[wanted.name] = given;
    }
    if (missing.length === 0) return imports;
    const names = missing.map(({ module: from, name }) => `${from}.${name}`);
    const hints = new Set(missing.map(scope.hint));
    throw new GuestError(
      `${module.name} imports ${names.slice(0, NAMES_SHOWN_MAX).join(', ')}, which nothing gives it; ${[...hints].join('; ')}`,
    );
  };

  const fromModule = (importer: LinkedModule, wanted: WebAssembly.ModuleImport): unknown => {
    const source = byName.get(wanted.module);
    if (!source) return undefined;
    const exported = WebAssembly.Module.exports(source.module).some(
      ({ name, kind }) => name === wanted.name && kind === wanted.kind,
    );
    if (!exported) return undefined;
    const instance = instanceOf(source);
    if (instance) return instance.exports[wanted.name];
    if (wanted.kind === 'function') {
      return (...args: unknown[]) => callLater(instances.get(source.name), wanted.name, args);
    }
    const circle = [...underWay.slice(underWay.indexOf(source.name)), source.name].join(' → ');
    throw new GuestError(
      `${importer.name} imports the ${wanted.kind} ${wanted.name} in a circle: ${circle}; only functions can go round`,
    );
  };

  for (const module of scope.modules) instanceOf(module);
  return instances;
}

const NAMES_SHOWN_MAX = 10;

export function memoryOf(
  instance: WebAssembly.Instance | undefined,
): WebAssembly.Memory | undefined {
  const memory = instance?.exports['memory'];
  return memory instanceof WebAssembly.Memory ? memory : undefined;
}

function own(functions: Readonly<Record<string, unknown>> | undefined, name: string): unknown {
  return functions && Object.hasOwn(functions, name) ? functions[name] : undefined;
}

function hostMemory(
  { memoryImports }: LinkedModule,
  { module, name }: WebAssembly.ModuleImport,
): WebAssembly.Memory | undefined {
  if (module !== HOST_MEMORY.module || name !== HOST_MEMORY.name) return undefined;
  const wanted = memoryImports.find((memory) => memory.module === module && memory.name === name);
  if (!wanted) return undefined;
  const { pages: initial, pagesMax: maximum, shared } = wanted;
  return new WebAssembly.Memory({ initial, maximum, shared });
}

function callLater(
  instance: WebAssembly.Instance | undefined,
  name: string,
  args: unknown[],
): unknown {
  const called = instance?.exports[name];
  if (typeof called === 'function') return Reflect.apply(called, undefined, args) as unknown;
  throw new GuestError(`it calls ${name} of a module that is not there yet`);
}
