/**
 * Host for ES modules (and CommonJS ones): imports the plugin's file and makes its default export
 * a plugin. A plain function is a plugin with only `execute`, so a worker file of a pool runs.
 */
import type { PluginContext, PluginHooks } from '../plugin.ts';
import { PLUGIN_MARK } from '../protocol/marks.ts';
import type { BootData } from '../protocol/messages.ts';

export type Setup = (context: PluginContext) => PluginHooks | Promise<PluginHooks>;

/** `import()`, of a module that Node has loaded: code from a cache cannot import. */
export type ImportModule = (url: string) => Promise<unknown>;

export function moduleHost(importModule: ImportModule): (boot: BootData) => Promise<Setup> {
  return async ({ sourceMaps, entryUrl }) => {
    if (sourceMaps) process.setSourceMapsEnabled(true);
    const module = (await importModule(entryUrl)) as Record<string, unknown>;
    return asSetup(unwrapCommonJs(module));
  };
}

/** A transpiled CommonJS module has its default export one level deeper. */
function unwrapCommonJs(module: Record<string, unknown>): unknown {
  const exported = module['default'];
  const isNested = typeof exported === 'object' && exported !== null && '__esModule' in exported;
  return isNested && 'default' in exported ? exported.default : exported;
}

function asSetup(exported: unknown): Setup {
  if (exported === undefined) {
    throw new TypeError(
      'the module has no default export; write `export default definePlugin((ctx) => ({ execute(input) { … } }))`',
    );
  }
  if (typeof exported === 'function') {
    return () => ({ execute: exported as PluginHooks['execute'] });
  }
  if (typeof exported === 'object' && exported !== null) {
    const setup: unknown = (exported as Record<symbol, unknown>)[PLUGIN_MARK];
    if (typeof setup === 'function') return setup as Setup;
    if ('execute' in exported) return () => exported as PluginHooks;
  }
  throw new TypeError(
    'the default export is no plugin; it must come from definePlugin, be a function, or have an `execute` method',
  );
}
