import { describe, expect, it } from 'vitest';

import { loopback } from '../../src/transport/loopback.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { turns } from '../support/turns.ts';

function heardBy(end: Transport): number[] {
  const heard: number[] = [];
  end.onMessage((batch) => heard.push(batch[0] ?? -1));
  return heard;
}

const batch = (value: number): Uint8Array<ArrayBuffer> => new Uint8Array([value]);

describe('the carrier for tests', () => {
  it('delivers later, in order, both ways', async () => {
    const [left, right] = loopback();
    const [atLeft, atRight] = [heardBy(left), heardBy(right)];
    left.send(batch(1));
    left.send(batch(2));
    right.send(batch(3));
    expect([atLeft, atRight]).toEqual([[], []]);
    await turns();
    expect([atLeft, atRight]).toEqual([[3], [1, 2]]);
  });

  it('copies the bytes and hands over the attachments', async () => {
    const [left, right] = loopback();
    const arrived: unknown[] = [];
    right.onMessage((bytes, attachments) => arrived.push([...bytes], ...attachments));
    const [bytes, memory] = [batch(1), new ArrayBuffer(1)];
    left.send(bytes, [memory], [memory]);
    bytes.fill(9);
    await turns();
    expect(arrived).toEqual([[1], new ArrayBuffer(1)]);
    expect(memory.byteLength).toBe(0);
  });

  it('delivers what has arrived when it is closed, then nothing more, in either direction', async () => {
    const [left, right] = loopback();
    const [atLeft, atRight] = [heardBy(left), heardBy(right)];
    left.send(batch(1));
    right.close();
    expect(atRight).toEqual([1]);
    left.send(batch(2));
    right.send(batch(3));
    await turns();
    expect([atLeft, atRight]).toEqual([[], [1]]);
  });
});
