/** What every carrier keeps, whichever way its bytes travel. */
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { MessageChannel, type MessagePort } from 'node:worker_threads';

import { describe, expect, it, onTestFinished } from 'vitest';

import { loopback } from '../../src/transport/loopback.ts';
import { messagePortTransport } from '../../src/transport/message-port.ts';
import { openPipe } from '../../src/transport/pipe.ts';
import { PollingCores, SharedSeat } from '../../src/transport/polling-cores.ts';
import { streamWriter } from '../../src/transport/process-pipe.ts';
import { actorEnd, createRings, supervisorEnd } from '../../src/transport/rings.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { eventually } from '../support/eventually.ts';
import { fc } from '../support/properties.ts';
import { turns } from '../support/turns.ts';

type Ends = [near: Transport, far: Transport];

function ports(): [MessagePort, MessagePort] {
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => {
    port1.close();
  });
  return [port1, port2];
}

function overPorts(): Ends {
  const [near, far] = ports();
  return [messagePortTransport(near), messagePortTransport(far)];
}

function overRings(): Ends {
  const { rings, far, supervisor } = supervised();
  return [supervisor, actorEnd(rings, { port: far })];
}

/** One end over rings, and what it tells of the other one. */
function supervised() {
  const [near, far] = ports();
  const cores = new PollingCores(2);
  const rings = createRings({ looking: cores.memory, cores: cores.cores });
  const seat = new SharedSeat(cores.seat(new Int32Array(new SharedArrayBuffer(4))));
  const told: string[] = [];
  const onBroken = (): void => {
    told.push('broken');
  };
  return { rings, far, told, supervisor: supervisorEnd(rings, seat, { port: near, onBroken }) };
}

function overPipes(): Ends {
  const [there, back] = [new PassThrough(), new PassThrough()];
  return [pipeEnd(back, there), pipeEnd(there, back)];
}

function pipeEnd(from: PassThrough, to: PassThrough): Transport {
  return openPipe({ from, write: streamWriter(to), onBroken: () => undefined }).bus;
}

const CARRIERS: [string, () => Ends][] = [
  ['a loopback', loopback],
  ['a port', overPorts],
  ['rings', overRings],
  ['pipes', overPipes],
];

/** The same port, but for the message of this number, which it swallows. */
function losing(port: MessagePort, number: number): MessagePort {
  const post = port.postMessage.bind(port);
  port.postMessage = (message: unknown, transfer) => {
    const isLost = Array.isArray(message) && message[0] === number;
    if (!isLost) post(message, transfer);
  };
  return port;
}

/** What comes, as copies: a batch is the listener's during the call only. */
function hearing(transport: Transport): number[][] {
  const heard: number[][] = [];
  transport.onMessage((batch) => heard.push([...batch]));
  return heard;
}

describe.each(CARRIERS)('%s', (_name, connect) => {
  it('carries batches in their order, both ways at once', async () => {
    const [near, far] = connect();
    const [atNear, atFar] = [hearing(near), hearing(far)];
    const wanted = Array.from({ length: 50 }, (_, at) => [at, at + 1]);
    for (const batch of wanted) {
      near.send(Uint8Array.from(batch));
      far.send(Uint8Array.from(batch));
    }
    await eventually(() => {
      expect([atNear, atFar]).toEqual([wanted, wanted]);
    });
    near.close();
    far.close();
  });

  it('keeps nothing of the memory that a batch was sent from', async () => {
    const [near, far] = connect();
    const heard = hearing(far);
    const memory = new Uint8Array(1_000).fill(7);
    near.send(memory.subarray(10, 13));
    memory.fill(9);
    near.send(memory.subarray(20, 22));
    memory.fill(11);
    await eventually(() => {
      expect(heard).toEqual([
        [7, 7, 7],
        [9, 9],
      ]);
    });
    near.close();
    far.close();
  });

  it('moves the buffers that are to be moved, and copies the others', async () => {
    const [near, far] = connect();
    const heard: unknown[] = [];
    far.onMessage((_batch, attachments) => heard.push(...attachments));
    const [moved, copied] = [Uint8Array.of(1, 2).buffer, Uint8Array.of(3, 4).buffer];
    near.send(Uint8Array.of(1), [moved, copied], [moved]);
    new Uint8Array(copied).fill(9);
    await eventually(() => {
      expect(heard).toEqual([Uint8Array.of(1, 2).buffer, Uint8Array.of(3, 4).buffer]);
    });
    expect(copied.byteLength).toBe(2);
    near.close();
    far.close();
  });

  it('delivers what has come when it is closed, and nothing more in either direction', async () => {
    const [near, far] = connect();
    const [atNear, atFar] = [hearing(near), hearing(far)];
    near.send(Uint8Array.of(1));
    await eventually(() => {
      expect(atFar).toEqual([[1]]);
    });
    far.close();
    far.send(Uint8Array.of(2));
    near.send(Uint8Array.of(3));
    near.close();
    near.close();
    expect([atNear, atFar]).toEqual([[], [[1]]]);
  });
});

// pipes of this test are in memory: real ones turn the event loop for each read
describe.each(CARRIERS.filter(([name]) => name === 'a port' || name === 'rings'))(
  '%s',
  (_name, connect) => {
    it('lets the event loop turn while there is always another batch', async () => {
      const [near, far] = connect();
      const most = 200_000;
      let count = 0;
      let isTimely = false;
      far.onMessage(() => {
        far.giveWay?.();
        // the reader has hardly read it, and the next is there
        if (!isTimely && ++count < most) near.send(Uint8Array.of(1));
      });
      near.send(Uint8Array.of(1));
      await new Promise((resolve) => setTimeout(resolve, 5));
      isTimely = true;
      expect(count).toBeGreaterThan(1);
      expect(count).toBeLessThan(most);
      near.close();
      far.close();
    });
  },
);

describe('rings', () => {
  it('and their port are one row, whatever way each batch takes', async () => {
    const size = fc.oneof(
      fc.integer({ min: 1, max: 50 }),
      // too large for a ring, or enough of them to fill it
      fc.integer({ min: 30_000, max: 40_000 }),
      fc.constant('buffer' as const),
      fc.constant('turn' as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(size, { maxLength: 60 }), async (steps) => {
        const [near, far] = overRings();
        const heard: unknown[] = [];
        far.onMessage((batch, attachments) => {
          const [buffer] = attachments;
          heard.push([batch[0], batch.length, buffer instanceof ArrayBuffer && buffer.byteLength]);
        });
        const wanted: unknown[] = [];
        for (const [at, step] of steps.entries()) {
          if (step === 'turn') await new Promise(setImmediate);
          else if (step === 'buffer') {
            near.send(Uint8Array.of(at), [new ArrayBuffer(at)]);
            wanted.push([at, 1, at]);
          } else {
            near.send(new Uint8Array(step).fill(at));
            wanted.push([at, step, false]);
          }
        }
        await eventually(() => {
          expect(heard).toEqual(wanted);
        });
        near.close();
        far.close();
      }),
      { numRuns: 60 },
    );
  });

  it('let what a batch resolved take its turn before the next, where its listener asks for it', async () => {
    const [near, far] = overRings();
    const told: string[] = [];
    far.onMessage(([number]) => {
      told.push(`batch ${String(number)}`);
      if (number !== 3) far.giveWay?.();
      void turns(20).then(() => told.push(`turns after ${String(number)}`));
    });
    for (const number of [1, 2, 3, 4]) near.send(Uint8Array.of(number));
    await eventually(() => {
      expect(told).toEqual([
        'batch 1',
        'turns after 1',
        'batch 2',
        'turns after 2',
        'batch 3',
        'batch 4',
        'turns after 3',
        'turns after 4',
      ]);
    });
    near.close();
    far.close();
  });

  it('deliver all there is where they are drained or closed, also between two batches', async () => {
    const [near, far] = overRings();
    const heard: (number | undefined)[] = [];
    const isFirst = new Promise<void>((resolve) => {
      far.onMessage(([number]) => {
        heard.push(number);
        far.giveWay?.();
        resolve();
      });
    });
    for (const number of [1, 2, 3]) near.send(Uint8Array.of(number));
    await isFirst;
    expect(heard).toEqual([1]);
    far.drain?.();
    expect(heard).toEqual([1, 2, 3]);
    for (const number of [4, 5]) near.send(Uint8Array.of(number));
    far.close();
    expect(heard).toEqual([1, 2, 3, 4, 5]);
    near.close();
  });

  it('give shared memory by reference, in its place in the order', async () => {
    const [near, far] = overRings();
    const heard: unknown[] = [];
    far.onMessage((batch, attachments) => heard.push([batch[0], ...attachments]));
    const shared = new SharedArrayBuffer(4);
    near.send(Uint8Array.of(1));
    near.send(Uint8Array.of(2), [shared]);
    near.send(Uint8Array.of(3));
    await eventually(() => {
      expect(heard.map((message) => (message as unknown[])[0])).toEqual([1, 2, 3]);
    });
    const [, arrived] = heard[1] as [number, SharedArrayBuffer];
    new Uint8Array(shared)[0] = 42;
    expect(new Uint8Array(arrived)[0]).toBe(42);
    near.close();
    far.close();
  });

  it('tell of a message that was lost on the port, and go on with those after it', async () => {
    const { rings, far, supervisor, told } = supervised();
    const heard = hearing(supervisor);
    const actor = actorEnd(rings, { port: losing(far, 1) });
    // with a buffer each takes the port, and the second is lost there
    for (const at of [0, 1, 2]) actor.send(Uint8Array.of(at), [new ArrayBuffer(1)]);
    await eventually(() => {
      expect({ heard, told }).toEqual({ heard: [[0], [2]], told: ['broken'] });
    });
    actor.send(Uint8Array.of(3));
    await eventually(() => {
      expect({ heard, told }).toEqual({ heard: [[0], [2], [3]], told: ['broken'] });
    });
    supervisor.close();
    actor.close();
  });

  it('tell of bytes that no carrier of ours wrote, and close their port: so the life ends', async () => {
    const { rings, far, supervisor, told } = supervised();
    const actor = actorEnd(rings, { port: far });
    const closed = once(far, 'close');
    const heard = hearing(supervisor);
    actor.send(Uint8Array.of(1));
    // the length of its record, before the supervisor reads it
    new DataView(rings.fromActor).setUint32(192, 0x7fff_fff0, true);
    await eventually(() => {
      expect(told).toEqual(['broken']);
    });
    actor.send(Uint8Array.of(2));
    await closed;
    expect({ heard, told }).toEqual({ heard: [], told: ['broken'] });
    supervisor.close();
    actor.close();
  });
});
