import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import os from 'node:os';
import process from 'node:process';

import { describe, expect, it, onTestFinished } from 'vitest';

import { boardBytes, SignalBoard } from '../../src/protocol/signal-board.ts';
import { FileWords } from '../../src/transport/board-file.ts';

/** Both sides of one board, each with its own view of the file. */
function setUp(slots = 4) {
  const words = FileWords.create(boardBytes(slots));
  onTestFinished(() => {
    words.close();
  });
  const main = new SignalBoard(words);
  return { words, main, actor: new SignalBoard(new FileWords(words.descriptor)) };
}

describe('a board in a file', () => {
  it('says what has begun, and what was cancelled before it began', () => {
    const { main, actor } = setUp();
    expect(actor.begin(0, 1)).toBe(true);
    expect([main.hasBegun(1), main.hasBegun(2)]).toEqual([true, false]);
    expect(main.cancel(1, 2)).toBe(false);
    expect(actor.begin(1, 2)).toBe(false);
    expect(actor.isCancelled(1, 2)).toBe(true);
  });

  it('holds, parks and releases', () => {
    const { main, actor } = setUp();
    const pause = main.hold({ park: true });
    expect([actor.mayBegin(), actor.mustPark(), actor.pauseNumber()]).toEqual([false, true, pause]);
    main.release();
    expect([actor.mayBegin(), actor.mustPark()]).toEqual([true, false]);
    actor.park(0, 1);
  });

  it('says since when the actor is busy, to the fraction', () => {
    const { main, actor } = setUp();
    expect(main.busySince()).toBeUndefined();
    actor.setBusy(1_795_357_522_092.25);
    expect(main.busySince()).toBe(1_795_357_522_092.25);
    actor.setBusy(0);
    expect(main.busySince()).toBeUndefined();
  });

  it('can be read, and no longer written, once it is closed', () => {
    const { words, main, actor } = setUp();
    actor.begin(0, 7);
    actor.setBusy(5);
    words.close();
    main.hold({ park: true });
    expect([main.hasBegun(7), main.hasBegun(8), main.busySince()]).toEqual([true, false, 5]);
    expect(main.mayBegin()).toBe(true);
  });

  it('leaves no file behind', () => {
    const { words } = setUp();
    words.close();
    words.close();
    const prefix = `troupe-${String(process.pid)}-`;
    expect(readdirSync(os.tmpdir()).filter((name) => name.startsWith(prefix))).toEqual([]);
  });

  it('keeps what a process wrote that was killed right after', () => {
    const { words, main } = setUp();
    // as begin() does: word 1 is the number of the last begun call
    const source = `
      require('node:fs').writeSync(3, Int32Array.of(41), 0, 4, 4);
      process.kill(process.pid, 'SIGKILL');`;
    const { signal } = spawnSync(process.execPath, ['-e', source], {
      stdio: ['ignore', 'ignore', 'inherit', words.descriptor],
    });
    expect(signal).toBe('SIGKILL');
    expect([main.hasBegun(41), main.hasBegun(42)]).toEqual([true, false]);
  });

  it('wakes who is parked when it is released elsewhere', () => {
    const { words, main, actor } = setUp();
    main.hold({ park: true });
    const source = `require('node:fs').writeSync(3, Int32Array.of(0), 0, 4, 0);`;
    const done = spawnSync(process.execPath, ['-e', source], {
      stdio: ['ignore', 'ignore', 'inherit', words.descriptor],
    });
    expect(done.status).toBe(0);
    actor.park(0, 1);
    expect(actor.mustPark()).toBe(false);
  });
});
