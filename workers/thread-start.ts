/** Entry of a plugin's thread: what it runs is thread.ts, compiled already where it can be. */
import path from 'node:path';
import { workerData } from 'node:worker_threads';

import { requireCached } from '../src/actor/code-cache.ts';
import type { ThreadData } from '../src/transport/message-port.ts';

const { code } = workerData as ThreadData;
const thread = requireCached(path.join(import.meta.dirname, 'thread.cjs'), code);
(thread as typeof import('./thread.ts')).start((url) => import(url));
