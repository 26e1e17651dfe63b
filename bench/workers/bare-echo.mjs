// The least a worker can do: answer each message with one.
import { parentPort } from 'node:worker_threads';

parentPort.on('message', ({ number, input }) => {
  parentPort.postMessage({ number, output: input });
});
