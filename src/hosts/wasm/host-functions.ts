/** Host functions of the user's own: a module that the spec names, imported beside the guest. */
import type { GuestHost, PluginContext } from '../../plugin.ts';
import type { Blocking } from '../../protocol/blocking.ts';
import type { ImportModule } from '../module.ts';
import type { Blocks } from './blocks.ts';
import { EXTISM_MODULE } from './extism-functions.ts';
import { GuestError } from './guest-error.ts';
import type { Provided } from './link.ts';
import { TROUPE_MODULE } from './troupe-functions.ts';
import { WASI_MODULE } from './wasi.ts';

export interface HostFunctionsScope {
  context: PluginContext;
  blocking: Blocking;
  blocks: Blocks;
  importModule: ImportModule;
}

/** @throws GuestError where the module exports something else. */
export async function loadHostFunctions(
  url: string | undefined,
  scope: HostFunctionsScope,
): Promise<Provided> {
  if (url === undefined) return new Map();
  const { default: exported } = (await scope.importModule(url)) as { default?: unknown };
  const made: unknown =
    typeof exported === 'function' ? Reflect.apply(exported, undefined, [hostOf(scope)]) : exported;
  if (typeof made !== 'object' || made === null) throw new GuestError(NO_FUNCTIONS);
  const modules = Object.entries(made).map(([module, functions]: [string, unknown]) => {
    if (typeof functions !== 'object' || functions === null) throw new GuestError(NO_FUNCTIONS);
    if (RESERVED.has(module)) {
      throw new GuestError(
        `wasm.hostFunctions has functions of ${module}, a name that is reserved`,
      );
    }
    const entries = Object.entries(functions).map(
      ([name, called]: [string, unknown]): [string, unknown] => [
        name,
        typeof called === 'function' ? synchronous(`${module}.${name}`, called as Called) : called,
      ],
    );
    return [module, Object.fromEntries(entries)] as const;
  });
  return new Map(modules);
}

/** What the runtime itself gives. */
const RESERVED: ReadonlySet<string> = new Set([EXTISM_MODULE, TROUPE_MODULE, WASI_MODULE]);

const NO_FUNCTIONS =
  'the module of wasm.hostFunctions must export by default { "<module>": { "<name>": function } }, or a function that returns that';

type Called = (...args: unknown[]) => unknown;

/** A promise would be 0 to the guest, and nobody would hear of its failure. */
function synchronous(name: string, called: Called): Called {
  return (...args) => {
    const result = called(...args);
    if (!(result instanceof Promise)) return result;
    result.catch(() => undefined);
    throw new GuestError(`the host function ${name} returned a promise, and a guest cannot await`);
  };
}

function hostOf({ context, blocking, blocks }: HostFunctionsScope): GuestHost {
  return {
    context,
    memory: {
      text: (at) => blocks.text(at),
      bytes: (at) => new Uint8Array(blocks.view(at)),
      add: (value) => blocks.add(value),
    },
    call: (id, input) => blocking.call(id, input),
    checkpoint: () => {
      blocking.checkpoint();
    },
  };
}
