/** Entry of a plugin's process. */
import { bootActor } from '../src/actor/boot.ts';
import { whenAssigned } from '../src/actor/process-carrier.ts';
import { moduleHost } from '../src/hosts/module.ts';

whenAssigned((carrier) => {
  bootActor(carrier, {
    module: moduleHost((url) => import(url)),
    script: async (boot, _, keep) => (await import('./script-host.ts')).loadScript(boot, { keep }),
    wasm: async (boot, blocking) =>
      (await import('./wasm-host.ts')).loadGuest(boot, {
        blocking,
        importModule: (url) => import(url),
      }),
  });
});
