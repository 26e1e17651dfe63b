/** Rings between two real threads: nothing is lost, torn or out of order, also where one is ended. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import { buildSync } from 'esbuild';
import { describe, expect, it, onTestFinished } from 'vitest';

import { ringMemory, RingReader } from '../../src/transport/ring.ts';

/** The module as a thread can run it. */
const { outputFiles } = buildSync({
  entryPoints: [new URL('../../src/transport/ring.ts', import.meta.url).pathname],
  bundle: true,
  write: false,
  format: 'cjs',
  platform: 'node',
});
const RING = outputFiles[0]?.text ?? '';

const CAPACITY = 64 * 1024;
const SIZE_MAX = 2_000;

/** The same row of sizes and bytes on both sides: it is also handed to the other thread, as text. */
function draw(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state;
  };
}

/** Writes records as fast as there is room, until it has written so many, or for ever. */
const WRITER = `
  const { workerData, parentPort } = require('node:worker_threads');
  ${draw.toString()}
  const { memory, seed, count, sizeMax } = workerData;
  const writer = new RingWriter(memory);
  const next = draw(seed);
  const bytes = new Uint8Array(sizeMax + 1);
  for (let number = 0; number !== count; number++) {
    const size = next() % sizeMax;
    const fill = next() & 0xff;
    bytes.fill(fill, 0, size);
    while (!writer.write(bytes.subarray(0, size), number)) {
      if (writer.mustWake()) parentPort.postMessage(0);
    }
    if (writer.mustWake()) parentPort.postMessage(0);
  }`;

function startWriter(options: { seed: number; count: number; sizeMax: number }) {
  const memory = ringMemory(CAPACITY);
  const source = `${RING.replace('module.exports', 'const exported')}\n;${WRITER}`;
  const worker = new Worker(source, { eval: true, workerData: { memory, ...options } });
  onTestFinished(async () => {
    await worker.terminate();
  });
  return { worker, reader: new RingReader(memory) };
}

/** Reads what is there, and checks each against the same draw. */
function checker(reader: RingReader, seed: number, sizeMax: number) {
  const next = draw(seed);
  let read = 0;
  return {
    get read() {
      return read;
    },
    drain(): void {
      for (let number = reader.peek(); number !== undefined; number = reader.peek()) {
        const batch = reader.take();
        const size = next() % sizeMax;
        const fill = next() & 0xff;
        // expect() for each of millions would take longer than the rings
        const isWhole = batch.byteLength === size && batch.every((byte) => byte === fill);
        if (number !== read || !isWhole) throw new Error(`record ${read} came as ${number}`);
        read++;
      }
    },
  };
}

describe('a ring between two threads', () => {
  it('carries a million small records and 100,000 of any size, in order and whole', async () => {
    for (const [count, sizeMax] of [
      [1_000_000, 40],
      [100_000, SIZE_MAX],
    ] as const) {
      const { worker, reader } = startWriter({ seed: 42, count, sizeMax });
      const records = checker(reader, 42, sizeMax);
      const ended = once(worker, 'exit');
      // as a carrier does: it sleeps, is woken, and reads until there is nothing
      worker.on('message', () => {
        do records.drain();
        while (!reader.sleep());
      });
      while (!reader.sleep()) records.drain();
      await ended;
      records.drain();
      expect(records.read).toBe(count);
    }
  });

  it('holds whole records only, however its writer is ended', async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const { worker, reader } = startWriter({ seed, count: -1, sizeMax: SIZE_MAX });
      const records = checker(reader, seed, SIZE_MAX);
      while (records.read <= 200 * seed) {
        records.drain();
        await new Promise((resolve) => setImmediate(resolve));
      }
      const ended = worker.terminate();
      records.drain();
      await ended;
      records.drain();
      expect(reader.isEmpty).toBe(true);
      expect(records.read).toBeGreaterThan(200 * seed);
    }
  });
});
