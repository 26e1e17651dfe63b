/**
 * Keeps calls open until so many are answered, after a run-up that does not count; the same code on
 * the main thread and in workers.
 */
export async function microsecondsPerCall(call, { count, inFlight }) {
  await makeCalls(call, { count: Math.ceil(count * RUN_UP), inFlight });
  const startedAt = performance.now();
  await makeCalls(call, { count, inFlight });
  return ((performance.now() - startedAt) * 1_000) / count;
}

const RUN_UP = 0.2;

async function makeCalls(call, { count, inFlight }) {
  let calls = 0;
  async function caller() {
    while (calls < count) {
      calls++;
      const id = calls;
      const output = await call({ id, name: 'small', tags: ['a', 'b'] });
      if (output.id !== id) throw new Error(`a wrong answer: ${JSON.stringify(output)}`);
    }
  }
  await Promise.all(Array.from({ length: inFlight }, caller));
}

/** Calls over a port, matched by number. */
export function callerOver(port) {
  const pending = new Map();
  let last = 0;
  port.on('message', ({ number, output }) => {
    pending.get(number)?.(output);
    pending.delete(number);
  });
  return (input) =>
    new Promise((resolve) => {
      last++;
      pending.set(last, resolve);
      port.postMessage({ number: last, input });
    });
}
