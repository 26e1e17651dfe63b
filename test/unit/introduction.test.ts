import { MessageChannel } from 'node:worker_threads';

import { expect, it, onTestFinished } from 'vitest';

import { WINDOW_CALLS } from '../../src/protocol/limits.ts';
import { boardBytes } from '../../src/protocol/signal-board.ts';
import { createRings } from '../../src/transport/rings.ts';
import { isIntroduction } from '../../src/transport/thread-data.ts';

function sound(): Record<string, unknown> {
  const { toActor, fromActor } = createRings({ looking: new SharedArrayBuffer(4), cores: 2 });
  const { port1 } = new MessageChannel();
  onTestFinished(() => {
    port1.close();
  });
  const board = new SharedArrayBuffer(boardBytes(WINDOW_CALLS));
  const ports = { bus: port1, control: port1, leases: port1 };
  return { threadId: 1, board, rings: { toActor, fromActor }, ...ports };
}

it('is what a thread of a pool says first', () => {
  expect(isIntroduction(sound())).toBe(true);
});

it.each([
  ['a board of another size', { board: new SharedArrayBuffer(3) }],
  ['a board that is not shared', { board: new ArrayBuffer(boardBytes(WINDOW_CALLS)) }],
  ['no rings', { rings: undefined }],
  [
    'one ring',
    { rings: { toActor: createRings({ looking: new SharedArrayBuffer(4), cores: 2 }).toActor } },
  ],
  [
    'rings of another size',
    { rings: { toActor: new SharedArrayBuffer(8), fromActor: new SharedArrayBuffer(8) } },
  ],
  ['no port', { bus: {} }],
])('is not one with %s, which a plugin may say', (_, part) => {
  expect(isIntroduction({ ...sound(), ...part })).toBe(false);
});
