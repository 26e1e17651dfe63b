/** What a plugin's thread runs, begun by thread-start.ts. */
import { bootActor } from '../src/actor/boot.ts';
import { whenAssigned } from '../src/actor/thread-carrier.ts';
import { moduleHost, type ImportModule } from '../src/hosts/module.ts';

export function start(importModule: ImportModule): void {
  whenAssigned((carrier) => {
    bootActor(carrier, {
      module: moduleHost(importModule),
      script: async (boot) => (await import('./script-host.ts')).loadScript(boot),
      wasm: async (...scope) => (await import('./wasm-host.ts')).loadGuest(...scope),
    });
  });
}
