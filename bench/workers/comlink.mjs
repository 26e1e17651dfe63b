import { parentPort, workerData } from 'node:worker_threads';

import * as Comlink from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';

const { default: work } = await import(workerData.work);

Comlink.expose(
  workerData.moves
    ? (input) => {
        const output = work(input);
        return Comlink.transfer(output, [output.buffer]);
      }
    : (input) => work(input),
  nodeEndpoint(parentPort),
);
