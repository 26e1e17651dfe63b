import { PassThrough } from 'node:stream';

import { describe, expect, it } from 'vitest';

import { PipeReader, type PipeMessage } from '../../src/transport/pipe-reader.ts';
import { openPipe, type Pipe } from '../../src/transport/pipe.ts';
import { streamWriter } from '../../src/transport/process-pipe.ts';
import { eventually } from '../support/eventually.ts';
import { fc } from '../support/properties.ts';

/** Two pipes that are each other's other end. */
function setUp() {
  const [there, back] = [new PassThrough(), new PassThrough()];
  const broken: string[] = [];
  const open = (from: PassThrough, to: PassThrough): Pipe =>
    openPipe({
      from,
      write: streamWriter(to),
      onBroken: (what) => {
        broken.push(what);
      },
    });
  return { near: open(back, there), far: open(there, back), there, broken };
}

/** The bytes that one side writes for this. */
async function written(work: (pipe: Pipe) => void): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const from = new PassThrough();
  work(openPipe({ from, write: (more) => parts.push(...more), onBroken: () => undefined }));
  await Promise.resolve();
  return Buffer.concat(parts);
}

describe('a pipe', () => {
  it('carries batches and control messages side by side, each in its order', async () => {
    const { near, far } = setUp();
    const heard: unknown[] = [];
    far.bus.onMessage((batch) => heard.push([...batch]));
    far.control.addEventListener('message', ({ data }) => heard.push(data));
    near.bus.send(Uint8Array.of(1, 2));
    near.control.postMessage({ id: 'a', value: undefined });
    near.bus.send(Uint8Array.of(3));
    near.control.postMessage({ id: 'b', map: new Map([[1, new Uint8Array(2)]]) });
    await eventually(() => {
      expect(heard).toEqual([
        [1, 2],
        { id: 'a', value: undefined },
        [3],
        { id: 'b', map: new Map([[1, new Uint8Array(2)]]) },
      ]);
    });
  });

  it('moves buffers: they arrive whole, and the sender has them no longer', async () => {
    const { near, far } = setUp();
    const heard: unknown[] = [];
    far.bus.onMessage((batch, buffers) => heard.push([...batch], ...buffers));
    const [first, second] = [Uint8Array.of(7, 8, 9).buffer, new ArrayBuffer(0)];
    near.bus.send(Uint8Array.of(1), [first, second], [first, second]);
    expect([first.byteLength, second.byteLength]).toEqual([0, 0]);
    await eventually(() => {
      expect(heard).toEqual([[1], Uint8Array.of(7, 8, 9).buffer, new ArrayBuffer(0)]);
    });
  });

  it('refuses shared memory before anything is sent or moved', async () => {
    const { near, far } = setUp();
    const heard: unknown[] = [];
    far.bus.onMessage((batch) => heard.push([...batch]));
    const buffer = new ArrayBuffer(3);
    expect(() => {
      near.bus.send(Uint8Array.of(1), [buffer, new SharedArrayBuffer(4)]);
    }).toThrow('shared memory');
    expect(buffer.byteLength).toBe(3);
    near.bus.send(Uint8Array.of(2));
    await eventually(() => {
      expect(heard).toEqual([[2]]);
    });
  });

  it('that is closed delivers and sends nothing on the bus; control goes on', async () => {
    const { near, far } = setUp();
    const heard: unknown[] = [];
    far.bus.onMessage(() => heard.push('bus'));
    far.control.addEventListener('message', ({ data }) => heard.push(data));
    far.bus.close();
    near.bus.send(Uint8Array.of(1));
    near.control.postMessage('still here');
    await eventually(() => {
      expect(heard).toEqual(['still here']);
    });
  });

  it('tells of a length that no message has, and reads nothing after it', async () => {
    const { far, there, broken } = setUp();
    const heard: unknown[] = [];
    far.bus.onMessage((batch) => heard.push([...batch]));
    there.write(Buffer.alloc(64, 0xff));
    await eventually(() => {
      expect(broken).toEqual([expect.stringContaining('bytes')]);
    });
    there.write(await written((pipe) => pipe.bus.send(Uint8Array.of(1))));
    expect(heard).toEqual([]);
  });

  it('does not hand a message to who listens because of it', async () => {
    const { near, far } = setUp();
    const heard: string[] = [];
    far.control.addEventListener('message', ({ data }) => {
      heard.push(`first ${String(data)}`);
      if (data === 1) {
        far.control.addEventListener('message', (event) => {
          heard.push(`second ${String(event.data)}`);
        });
      }
    });
    near.control.postMessage(1);
    near.control.postMessage(2);
    await eventually(() => {
      expect(heard).toEqual(['first 1', 'first 2', 'second 2']);
    });
  });
});

describe('a reader of a pipe', () => {
  const message = fc.record({
    batch: fc.uint8Array({ maxLength: 200 }),
    buffers: fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 3 }),
  });

  it('finds the same messages however the bytes were cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(message, { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 30 }),
        async (messages, cuts) => {
          const bytes = await written((pipe) => {
            for (const { batch, buffers } of messages) {
              const moved = buffers.map((buffer) => buffer.slice().buffer);
              pipe.bus.send(batch.slice(), moved, moved);
            }
          });
          const read: PipeMessage[] = [];
          const reader = new PipeReader((found) => {
            // valid as long as it is held
            read.push({ ...found, batch: Buffer.from(found.batch) });
          });
          for (let at = 0, turn = 0; at < bytes.byteLength; turn++) {
            const length = cuts[turn % cuts.length] ?? 1;
            reader.push(bytes.subarray(at, at + length));
            at += length;
          }
          expect(read.map(({ batch }) => [...batch])).toEqual(messages.map((m) => [...m.batch]));
          expect(read.map(({ buffers }) => buffers.map((b) => [...new Uint8Array(b)]))).toEqual(
            messages.map((m) => m.buffers.map((b) => [...b])),
          );
        },
      ),
      { numRuns: 200 },
    );
  });
});
