// Calls whoever is at the other end of a port, and says how long that took, seen from inside.
import { parentPort } from 'node:worker_threads';

import { callerOver, microsecondsPerCall } from './calling.mjs';

let call;

parentPort.on('message', ({ number, input }) => void answer(number, input));

async function answer(number, { port, ...calls }) {
  if (port) call = callerOver(port);
  parentPort.postMessage({ number, output: await microsecondsPerCall(call, calls) });
}
