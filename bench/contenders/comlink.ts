import { Worker } from 'node:worker_threads';

import * as Comlink from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';

import { workerFile, type Contender } from './contender.ts';

export const comlink: Contender = {
  name: 'comlink',
  settings: 'default',
  async start() {
    const worker = new Worker(workerFile('comlink-echo'));
    await new Promise((resolve) => worker.once('online', resolve));
    const echo = Comlink.wrap<(input: unknown) => unknown>(nodeEndpoint(worker));
    return { call: (input) => echo(input), stop: () => worker.terminate() };
  },
};
