/** What a plugin's thread runs, begun by thread-start.ts. */
import { bootActor } from '../src/actor/boot.ts';
import { whenAssigned } from '../src/actor/thread-carrier.ts';
import type { ThreadCode } from '../src/actor/thread-code.ts';
import { moduleHost, type ImportModule } from '../src/hosts/module.ts';

export function start(importModule: ImportModule, code: ThreadCode): void {
  const scriptHost = (): typeof import('./script-host.ts') =>
    code.load('script-host') as typeof import('./script-host.ts');
  const wasmHost = (): typeof import('./wasm-host.ts') =>
    code.load('wasm-host') as typeof import('./wasm-host.ts');
  whenAssigned((carrier) => {
    bootActor(
      carrier,
      {
        module: moduleHost(importModule),
        script: async (boot, _, keep) => scriptHost().loadScript(boot, { keep }),
        wasm: async (boot, blocking) => wasmHost().loadGuest(boot, { blocking, importModule }),
      },
      () => {
        code.called();
      },
    );
  });
}
