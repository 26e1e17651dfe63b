/** Entry of a plugin's thread. */
import { bootActor } from '../src/actor/boot.ts';
import { loadModule } from '../src/hosts/module.ts';

bootActor({ module: loadModule });
