import { Worker } from 'node:worker_threads';

import { describe, expect, it, vi } from 'vitest';

import { SharedWords } from '../../src/protocol/board-words.ts';
import { boardBytes, SignalBoard } from '../../src/protocol/signal-board.ts';
import { fc } from '../support/properties.ts';

/** Both sides of one board. */
function setUp(slots = 4) {
  const buffer = new SharedArrayBuffer(boardBytes(slots));
  const main = new SignalBoard(new SharedWords(buffer));
  return { main, actor: new SignalBoard(new SharedWords(buffer)), buffer };
}

describe('whether a call has begun', () => {
  it('is known to main once the actor has begun it, and for all before it', () => {
    const { main, actor } = setUp();
    expect([1, 2, 3].map((number) => main.hasBegun(number))).toEqual([false, false, false]);
    expect(actor.begin(0, 2)).toBe(true);
    expect([1, 2, 3].map((number) => main.hasBegun(number))).toEqual([true, true, false]);
  });

  it('is known across the wrap of numbers', () => {
    const { main, actor } = setUp();
    const last = 2 ** 31 - 1;
    const next = -(2 ** 31);
    actor.begin(0, last);
    expect([main.hasBegun(last), main.hasBegun(next)]).toEqual([true, false]);
    actor.begin(1, next);
    expect([main.hasBegun(last), main.hasBegun(next), main.hasBegun(next + 1)]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('is known when the actor is gone', () => {
    const { main, buffer } = setUp();
    new SignalBoard(new SharedWords(buffer)).begin(0, 5);
    expect([main.hasBegun(5), main.hasBegun(6)]).toEqual([true, false]);
  });
});

describe('begin and cancel', () => {
  it('cancelled first: it never begins, and main knows', () => {
    const { main, actor } = setUp();
    expect(main.cancel(2, 7)).toBe(false);
    expect(actor.begin(2, 7)).toBe(false);
  });

  it('begun first: main knows that it runs, and it sees the cancel', () => {
    const { main, actor } = setUp();
    expect(actor.begin(2, 7)).toBe(true);
    expect(actor.isCancelled(2, 7)).toBe(false);
    expect(main.cancel(2, 7)).toBe(true);
    expect(actor.isCancelled(2, 7)).toBe(true);
  });

  it('of one call say nothing about the others, nor about the next in its slot', () => {
    const { main, actor } = setUp();
    main.cancel(0, 1);
    expect(actor.begin(0, 1)).toBe(false);
    expect(actor.begin(1, 2)).toBe(true);
    expect(actor.begin(0, 3)).toBe(true);
    expect([actor.isCancelled(1, 2), actor.isCancelled(0, 3)]).toEqual([false, false]);
  });

  it('never miss each other: each side writes its word before it reads the other', () => {
    const { main, actor } = setUp();
    const [begun, cancelled] = [1, 7 + 2];
    expect(accesses(() => actor.begin(2, 7))).toEqual([`store ${begun}`, `load ${cancelled}`]);
    const cancelling = accesses(() => main.cancel(2, 8));
    expect(cancelling.at(0)).toBe(`store ${cancelled}`);
    expect(cancelling.at(-1)).toBe(`load ${begun}`);
  });
});

describe('begin and recall', () => {
  it('taken back first: it never begins, and main knows', () => {
    const { main, actor } = setUp();
    expect(main.recall(2, 7)).toBe(true);
    expect(actor.begin(2, 7)).toBe(false);
    main.recallSettled(2);
    expect(actor.begin(2, -7)).toBe(true);
  });

  it('begun first: it runs on, and does not notice', () => {
    const { main, actor } = setUp();
    const seen: boolean[] = [];
    expect(actor.begin(2, 7)).toBe(true);
    expect(
      accesses(() => {
        seen.push(main.recall(2, 7));
      }),
    ).toEqual(['store 9', 'load 1', 'store 9']);
    expect([...seen, actor.isCancelled(2, 7), actor.attention()]).toEqual([false, false, 0]);
  });

  it('a call that runs does not see that it was to be taken back', () => {
    const { main, actor } = setUp();
    main.recall(2, 7);
    expect([actor.isCancelled(2, 7), actor.attention()]).toEqual([false, 0]);
  });
});

describe('attention', () => {
  it('is 0 while there is nothing to do', () => {
    const { main, actor } = setUp();
    expect(actor.attention()).toBe(0);
    actor.begin(0, 1);
    actor.setBusy(5);
    expect(actor.attention()).toBe(0);
    expect(main.busySince()).toBe(5);
  });

  it('is asked for while a cancelled call runs, and not after the last of them', () => {
    const { main, actor } = setUp();
    main.cancel(0, 1);
    main.cancel(1, 2);
    expect(actor.attention()).not.toBe(0);
    main.cancelSettled();
    expect(actor.attention()).not.toBe(0);
    main.cancelSettled();
    expect(actor.attention()).toBe(0);
  });

  it('is asked for through any history of holds, releases and cancels', () => {
    const act = fc.constantFrom('hold', 'park', 'release', 'cancel', 'settle');
    fc.assert(
      fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
        const { main, actor } = setUp();
        let [held, parked, cancelled] = [false, false, 0];
        for (const each of acts) {
          if (each === 'hold' || each === 'park') {
            held = true;
            parked ||= each === 'park';
            main.hold({ park: each === 'park' });
          } else if (each === 'release') {
            held = parked = false;
            main.release();
          } else if (each === 'cancel') {
            main.cancel(0, ++cancelled);
          } else if (cancelled > 0) {
            cancelled--;
            main.cancelSettled();
          }
          expect(actor.mayBegin()).toBe(!held);
          expect(actor.mustPark()).toBe(parked);
          expect(actor.attention() === 0).toBe(!held && cancelled === 0);
        }
      }),
    );
  });
});

describe('a pause', () => {
  it('holds calls back, and with park stands still at checkpoints', () => {
    const { main, actor } = setUp();
    main.hold({ park: false });
    expect([actor.mayBegin(), actor.mustPark()]).toEqual([false, false]);
    main.hold({ park: true });
    expect([actor.mayBegin(), actor.mustPark()]).toEqual([false, true]);
    main.release();
    expect([actor.mayBegin(), actor.mustPark()]).toEqual([true, false]);
  });

  it('has a number of its own, which its release repeats', () => {
    const { main, actor } = setUp();
    const first = main.hold({ park: true });
    expect(actor.pauseNumber()).toBe(first);
    expect(main.release()).toBe(first);
    const second = main.hold({ park: true });
    expect(second).not.toBe(first);
    expect(actor.pauseNumber()).toBe(second);
  });
});

describe('a parked call', () => {
  it('does not stand still where nobody paused, or no longer', () => {
    const { main, actor } = setUp();
    actor.park(0, 1);
    main.hold({ park: true });
    main.release();
    actor.park(0, 1);
    expect(actor.mustPark()).toBe(false);
  });

  it('does not stand still once it is cancelled, though the pause goes on', () => {
    const { main, actor } = setUp();
    main.hold({ park: true });
    main.cancel(0, 1);
    actor.park(0, 1);
    expect([actor.isCancelled(0, 1), actor.mustPark()]).toEqual([true, true]);
  });

  it('goes on when another thread releases it', async () => {
    const { main, actor, buffer } = setUp();
    main.hold({ park: true });
    const helper = otherThread(buffer, 'Atomics.and(words, 0, ~3);');
    actor.park(0, 1);
    expect(actor.mustPark()).toBe(false);
    await helper.terminate();
  });

  it('goes on when another thread cancels it', async () => {
    const { main, actor, buffer } = setUp();
    main.hold({ park: true });
    const helper = otherThread(buffer, 'Atomics.store(words, 7, 1); Atomics.or(words, 0, 4);');
    actor.park(0, 1);
    expect([actor.isCancelled(0, 1), actor.mustPark()]).toEqual([true, true]);
    await helper.terminate();
  });
});

describe('a section', () => {
  it('is known to main from its begin to its end', () => {
    const { main, actor } = setUp();
    const seen = [main.isInSection()];
    actor.enterSection();
    seen.push(main.isInSection());
    actor.leaveSection();
    seen.push(main.isInSection());
    expect(seen).toEqual([false, true, false]);
  });

  it('and the end of its thread never miss each other', () => {
    const { main, actor } = setUp();
    const [gate, section] = [0, 6];
    expect(
      accesses(() => {
        actor.enterSection();
      }),
    ).toEqual([`store ${section}`, `load ${gate}`]);
    const ending = accesses(() => {
      main.seal();
      main.isInSection();
    });
    expect(ending.slice(-2)).toEqual([`store ${gate}`, `load ${section}`]);
  });

  it.each(['enter', 'leave'] as const)(
    'is none after a thread was sealed: it stands still where it would %s',
    async (where) => {
      const { main, buffer } = setUp();
      if (where === 'enter') main.seal();
      const board = new URL('../../src/protocol/signal-board.ts', import.meta.url).href;
      const words = new URL('../../src/protocol/board-words.ts', import.meta.url).href;
      const source = `
        const { parentPort, workerData } = require('node:worker_threads');
        (async () => {
          const { tsImport } = await import('tsx/esm/api');
          const { SignalBoard } = await tsImport(${JSON.stringify(board)}, ${JSON.stringify(board)});
          const { SharedWords } = await tsImport(${JSON.stringify(words)}, ${JSON.stringify(words)});
          const board = new SignalBoard(new SharedWords(workerData));
          parentPort.postMessage('ready');
          board.enterSection();
          parentPort.postMessage('inside');
          parentPort.once('message', () => {
            board.leaveSection();
            parentPort.postMessage('left');
          });
        })();`;
      const thread = new Worker(source, { eval: true, workerData: buffer });
      const said: unknown[] = [];
      thread.on('message', (word) => said.push(word));
      await vi.waitFor(
        () => {
          expect(said).toContain(where === 'enter' ? 'ready' : 'inside');
        },
        { timeout: 20_000 },
      );
      if (where === 'leave') {
        main.seal();
        thread.postMessage('leave');
      }
      await vi.waitFor(() => {
        expect(main.isInSection()).toBe(false);
      });
      await thread.terminate();
      expect(said).toEqual(where === 'enter' ? ['ready'] : ['ready', 'inside']);
    },
    30_000,
  );
});

/** The words of the board, as its header lays them out, changed and announced elsewhere. */
function otherThread(board: SharedArrayBuffer, change: string): Worker {
  const source = `
    const words = new Int32Array(require('node:worker_threads').workerData);
    ${change}
    Atomics.notify(words, 0);`;
  return new Worker(source, { eval: true, workerData: board });
}

/** Which words are read and written meanwhile, in order. */
function accesses(work: () => void): string[] {
  const log: string[] = [];
  for (const name of ['store', 'load'] as const) {
    const real = Atomics[name].bind(Atomics) as (...words: unknown[]) => unknown;
    const watched = (...words: unknown[]): unknown => {
      log.push(`${name} ${String(words[1])}`);
      return real(...words);
    };
    vi.spyOn(Atomics, name).mockImplementation(watched as never);
  }
  try {
    work();
  } finally {
    vi.restoreAllMocks();
  }
  return log;
}
