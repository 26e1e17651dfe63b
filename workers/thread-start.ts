/** Entry of a plugin's thread: what it runs is thread.ts, compiled already where it can be. */
import path from 'node:path';
import { workerData } from 'node:worker_threads';

import { requireCached, type CachedCode } from '../src/actor/code-cache.ts';
import type { ThreadCode } from '../src/protocol/code-cells.ts';
import type { ThreadData } from '../src/transport/message-port.ts';

const { code } = workerData as ThreadData;
const loaded: CachedCode[] = [];
const load = (name: ThreadCode): unknown => {
  const one = requireCached(path.join(import.meta.dirname, `${name}.cjs`), code[name]);
  loaded.push(one);
  return one.exports;
};

(load('thread') as typeof import('./thread.ts')).start({
  importModule: (url) => import(url),
  load,
  called() {
    for (const one of loaded) one.called();
  },
});
