/** Entry of a plugin's thread. */
import { bootActor } from '../src/actor/boot.ts';
import { whenAssigned } from '../src/actor/thread-carrier.ts';
import { loadModule } from '../src/hosts/module.ts';

whenAssigned((carrier) => {
  bootActor(carrier, {
    module: loadModule,
    script: async (boot) => (await import('./script-host.ts')).loadScript(boot),
    wasm: async (...scope) => (await import('./wasm-host.ts')).loadGuest(...scope),
  });
});
