// The least a worker can do: answer each message with one.
import { parentPort, workerData } from 'node:worker_threads';

const { default: work } = await import(workerData.work);

if (workerData.moves) {
  parentPort.on('message', ({ number, input }) => {
    const output = work(input);
    parentPort.postMessage({ number, output }, [output.buffer]);
  });
} else {
  parentPort.on('message', ({ number, input }) => {
    parentPort.postMessage({ number, output: work(input) });
  });
}
