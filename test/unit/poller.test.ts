import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { Poller } from '../../src/transport/poller.ts';
import { PollingCores, SharedSeat } from '../../src/transport/polling-cores.ts';
import { LOOK_MS_MAX } from '../../src/transport/wait-policy.ts';

function word(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

describe('the seats of threads that look', () => {
  it('are as many as there are cores, and one that is given back is another’s', () => {
    const cores = new PollingCores(2);
    const seats = [1, 2, 3].map(() => cores.seat(word()));
    expect(seats.map((seat) => seat.take())).toEqual([true, true, false]);
    seats[0]?.give();
    seats[0]?.give();
    expect([seats[2]?.take(), seats[0]?.take()]).toEqual([true, false]);
  });

  it('are given back for a thread that was ended while it looked', () => {
    const here = new PollingCores(1);
    const counted = word();
    expect(new PollingCores(1, here.memory).seat(counted).take()).toBe(true);
    const mine = here.seat(word());
    expect(mine.take()).toBe(false);
    here.seat(counted).give();
    expect(mine.take()).toBe(true);
  });

  it('count once for all rings of one thread, until the last of them lets go', () => {
    const cores = new PollingCores(1);
    const seat = new SharedSeat(cores.seat(word()));
    const [a, b] = [seat.part(), seat.part()];
    expect([a.take(), a.take(), b.take()]).toEqual([true, true, true]);
    const other = cores.seat(word());
    a.give();
    a.give();
    expect(other.take()).toBe(false);
    b.give();
    expect(other.take()).toBe(true);
  });
});

/** A poller on a clock and an event loop of the test's, over a ring whose writer is the test. */
function setUp(cores = 1) {
  let now = 0;
  let turns: (() => void)[] = [];
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  vi.stubGlobal('setImmediate', (turn: () => void) => turns.push(turn));
  onTestFinished(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });
  const counts = new PollingCores(cores);
  /** `late`: its writer is just too late for the look, and just too early to have to wake anybody. */
  const ring = { isEmpty: true, asleep: true, late: false };
  const poller = new Poller(
    {
      poll() {
        if (ring.isEmpty) return;
        ring.isEmpty = true;
        poller.came();
      },
      sleep() {
        if (ring.late) ring.isEmpty = false;
        ring.late = false;
        ring.asleep = ring.isEmpty;
        return ring.asleep;
      },
      wake() {
        ring.asleep = false;
      },
    },
    counts.seat(word()),
  );
  return {
    poller,
    ring,
    isSeatFree(): boolean {
      const seat = counts.seat(word());
      const isFree = seat.take();
      if (isFree) seat.give();
      return isFree;
    },
    /** Turns of the event loop, until there is none left or so much time has passed. */
    turn(forMs: number, eachMs = 0.01): void {
      for (const end = now + forMs; turns.length > 0 && now < end; now += eachMs) {
        const due = turns;
        turns = [];
        for (const each of due) each();
      }
    },
    /** Waits that are soon over, until one of them is spent looking. */
    untilItLooks(): void {
      for (let waits = 0; waits < 2_000 && ring.asleep; waits++) {
        poller.expect();
        if (!ring.asleep) return;
        now += 0.05;
        poller.came();
        poller.settle();
      }
    },
  };
}

describe('a poller', () => {
  it('sleeps at first, then tries whether it is faster to look', () => {
    const { poller, ring, untilItLooks, isSeatFree } = setUp();
    poller.expect();
    expect([ring.asleep, isSeatFree()]).toEqual([true, true]);
    untilItLooks();
    expect([ring.asleep, isSeatFree()]).toEqual([false, false]);
  });

  it('looks no longer than it may where nothing comes; then it is asleep, and its seat free', () => {
    const { ring, untilItLooks, turn, isSeatFree } = setUp();
    untilItLooks();
    turn(LOOK_MS_MAX / 2);
    expect(ring.asleep).toBe(false);
    turn(LOOK_MS_MAX);
    expect([ring.asleep, isSeatFree()]).toEqual([true, true]);
  });

  it('looks on where something came while it fell asleep: nobody would wake it', () => {
    const { poller, ring, untilItLooks, turn } = setUp();
    untilItLooks();
    ring.late = true;
    const heard = vi.spyOn(poller, 'came');
    turn(10 * LOOK_MS_MAX);
    expect([heard.mock.calls.length, ring.isEmpty, ring.asleep]).toEqual([1, true, true]);
    ring.late = true;
    poller.settle();
    expect(ring.asleep).toBe(false);
    turn(10 * LOOK_MS_MAX);
    expect([heard.mock.calls.length, ring.isEmpty, ring.asleep]).toEqual([2, true, true]);
  });

  it('sleeps where every core is looked from already', () => {
    const { ring, untilItLooks } = setUp(0);
    untilItLooks();
    expect(ring.asleep).toBe(true);
  });

  it('that is stopped does nothing more', () => {
    const { poller, ring, untilItLooks, turn, isSeatFree } = setUp();
    untilItLooks();
    poller.stop();
    ring.isEmpty = false;
    turn(LOOK_MS_MAX);
    expect([ring.isEmpty, isSeatFree()]).toEqual([false, true]);
  });
});
