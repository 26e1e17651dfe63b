/** Entry of a plugin's thread. */
import { bootActor } from '../src/actor/boot.ts';
import { threadCarrier } from '../src/actor/thread-carrier.ts';
import { loadModule } from '../src/hosts/module.ts';

bootActor(threadCarrier(), { module: loadModule });
