/** Entry of a plugin's thread: what it runs is thread.ts, compiled already where it can be. */
import { workerData } from 'node:worker_threads';

import { ThreadCode } from '../src/actor/thread-code.ts';
import type { ThreadData } from '../src/transport/thread-data.ts';

const code = new ThreadCode(import.meta.dirname, (workerData as ThreadData).code);
(code.load('thread') as typeof import('./thread.ts')).start((url) => import(url), code);
