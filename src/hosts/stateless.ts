/** Around another host, for a pool: nothing carries state from one life to the next. */
import type { PluginContext } from '../plugin.ts';
import type { Setup } from './module.ts';

const STATEFUL = ['snapshot', 'restore'] as const;

export function stateless<Told extends unknown[]>(
  host: (...told: Told) => Promise<Setup>,
): (...told: Told) => Promise<Setup> {
  return async (...told) => {
    const setup = await host(...told);
    return async (context: PluginContext) => {
      const hooks = await setup(context);
      const stateful = STATEFUL.filter((name) => typeof hooks[name] === 'function');
      if (stateful.length === 0) return hooks;
      throw new TypeError(
        `the plugin has ${stateful.join(' and ')}, and a pool keeps no state between calls; use isolation 'thread' or 'process'`,
      );
    };
  };
}

/** A guest of WebAssembly may have variables; those of a pool's thread end with it. */
export function withoutState(setup: Setup): Setup {
  return async (context) => {
    const hooks = await setup(context);
    for (const name of STATEFUL) Reflect.deleteProperty(hooks, name);
    return hooks;
  };
}
