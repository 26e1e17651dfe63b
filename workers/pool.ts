/** Entry of a thread in a plugin's pool. */
import { bootActor } from '../src/actor/boot.ts';
import { whenAssigned } from '../src/actor/pool-carrier.ts';
import { moduleHost } from '../src/hosts/module.ts';
import { stateless, withoutState } from '../src/hosts/stateless.ts';

export default whenAssigned((carrier) => {
  bootActor(carrier, {
    module: stateless(moduleHost((url) => import(url))),
    script: stateless(async (boot, _, keep) =>
      (await import('./script-host.ts')).loadScript(boot, { keep, savesHeap: false }),
    ),
    wasm: async (boot, blocking) => {
      const { loadGuest } = await import('./wasm-host.ts');
      return withoutState(await loadGuest(boot, { blocking, importModule: (url) => import(url) }));
    },
  });
});
