// Streams of small chunks, in the ways Node has of itself.
import { parentPort } from 'node:worker_threads';

const WINDOW = 64;

let room = 0;
let wake;

parentPort.on('message', (message) => void take(message));

async function take({ way, count, credit }) {
  switch (way) {
    case 'credit':
      room += credit;
      wake?.();
      break;
    case 'push':
      for (let id = 0; id < count; id++) parentPort.postMessage(chunk(id));
      break;
    case 'window':
      room = WINDOW;
      for (let id = 0; id < count; id++) {
        if (room === 0) await new Promise((resolve) => (wake = resolve));
        room--;
        parentPort.postMessage(chunk(id));
      }
      break;
    case 'readable': {
      let id = 0;
      const stream = new ReadableStream(
        {
          pull(controller) {
            if (id < count) controller.enqueue(chunk(id++));
            else controller.close();
          },
        },
        { highWaterMark: WINDOW },
      );
      parentPort.postMessage(stream, [stream]);
      break;
    }
  }
}

function chunk(id) {
  return { id, text: 'token' };
}
