/** Entry of a plugin's process. */
import { bootActor } from '../src/actor/boot.ts';
import { whenConnected } from '../src/actor/process-carrier.ts';
import { loadModule } from '../src/hosts/module.ts';

whenConnected((carrier) => {
  bootActor(carrier, { module: loadModule });
});
