// Answers each message of the port it is given.
import { parentPort } from 'node:worker_threads';

parentPort.once('message', (port) => {
  port.on('message', ({ number, input }) => port.postMessage({ number, output: input }));
});
