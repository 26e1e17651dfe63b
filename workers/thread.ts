/** What a plugin's thread runs, begun by thread-start.ts. */
import { bootActor } from '../src/actor/boot.ts';
import { whenAssigned } from '../src/actor/thread-carrier.ts';
import { moduleHost, type ImportModule } from '../src/hosts/module.ts';
import type { ThreadCode } from '../src/protocol/code-cells.ts';

export interface ThreadScope {
  importModule: ImportModule;
  /** Another file of this folder, compiled already where it can be. */
  load: (name: ThreadCode) => unknown;
  /** The first call is over. */
  called: () => void;
}

export function start({ importModule, load, called }: ThreadScope): void {
  whenAssigned((carrier) => {
    bootActor(
      carrier,
      {
        module: moduleHost(importModule),
        script: async (boot) =>
          (load('script-host') as typeof import('./script-host.ts')).loadScript(boot),
        wasm: async (boot, blocking) =>
          (load('wasm-host') as typeof import('./wasm-host.ts')).loadGuest(boot, {
            blocking,
            importModule,
          }),
      },
      called,
    );
  });
}
