import assert from 'node:assert/strict';

import { describe, expect, it } from 'vitest';

import { Mailbox } from '../../src/supervisor/mailbox.ts';
import { fc } from '../support/properties.ts';

interface Item {
  name: number;
  bytes: number;
}

interface Model {
  items: Item[];
  taken: Item[];
  next: number;
}

type Real = Mailbox<Item>;

const CAPACITY = 1_000;
const BYTES_MAX = 3_000;

/** Of some size, which follows from its name. */
const item = (name: number): Item => ({ name, bytes: (name * 7) % 5 });

const bytesOf = (items: Item[]): number => items.reduce((sum, { bytes }) => sum + bytes, 0);

/** A mailbox with room for all, of items that are as good as their name. */
const mailboxOf = (bounds = {}) => new Mailbox<Item>({ capacity: 1e6, bytesMax: 1e9, ...bounds });
const names = (items: (Item | undefined)[]) => items.map((each) => each?.name);
type Command = fc.Command<Model, Real>;

/** A step on both sides that must give the same, named for the report. */
function step(name: string, run: (model: Model, real: Real) => void): Command {
  return {
    check: () => true,
    run(model, real) {
      run(model, real);
      assert.equal(real.length, model.items.length);
      assert.equal(real.peek(), model.items[0]);
      assert.equal(real.bytes, bytesOf(model.items));
      const overBytes = model.items.length > 0 && real.bytes + 1 > BYTES_MAX;
      const full = model.items.length >= CAPACITY ? 'capacity' : undefined;
      assert.equal(real.wouldBreak(1), overBytes ? 'bytesMax' : full);
    },
    toString: () => name,
  };
}

const commands = [
  fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 4 })).map(([max, nth]) => {
    const matches = ({ name }: Item): boolean => name % nth === 0;
    return step(`take ${String(max)} of every ${String(nth)}`, (model, real) => {
      const expected = model.items.filter(matches).slice(0, max);
      assert.deepEqual(real.take(max, matches), expected);
      model.items = model.items.filter((each) => !expected.includes(each));
      model.taken.push(...expected);
    });
  }),
  fc.integer({ min: 1, max: 3_000 }).map((count) =>
    step(`push ${String(count)}`, (model, real) => {
      for (let i = 0; i < count; i++) {
        const next = item(model.next++);
        real.push(next);
        model.items.push(next);
      }
    }),
  ),
  fc.integer({ min: 1, max: 3_000 }).map((count) =>
    step(`shift ${String(count)}`, (model, real) => {
      for (let i = 0; i < count; i++) {
        const first = model.items.shift();
        assert.equal(real.shift(), first);
        if (first) model.taken.push(first);
      }
    }),
  ),
  fc.nat(50).map((count) =>
    step(`return ${String(count)}`, (model, real) => {
      const back = model.taken.splice(-count, count);
      real.returnToFront(back);
      model.items.unshift(...back);
    }),
  ),
  fc.nat().map((seed) =>
    step(`remove ${String(seed)}`, (model, real) => {
      const at = seed % (model.items.length + 1);
      const chosen = model.items[at] ?? item(-1);
      assert.equal(real.remove(chosen), at < model.items.length);
      if (at < model.items.length) model.items.splice(at, 1);
    }),
  ),
  fc.constant(
    step('clear', (model, real) => {
      assert.deepEqual(real.clear(), model.items);
      model.items = [];
    }),
  ),
];

function startOf(): { model: Model; real: Real } {
  return {
    model: { items: [], taken: [], next: 0 },
    real: mailboxOf({ capacity: CAPACITY, bytesMax: BYTES_MAX }),
  };
}

describe('a mailbox', () => {
  it('behaves as a plain array would, through any history', () => {
    fc.assert(
      fc.property(fc.commands(commands, { maxCommands: 30 }), (history) => {
        fc.modelRun(startOf, history);
      }),
      { numRuns: 200 },
    );
  });

  it('is first in, first out', () => {
    const mailbox = mailboxOf();
    for (const name of [1, 2, 3]) mailbox.push(item(name));
    const taken = [mailbox.shift(), mailbox.shift(), mailbox.shift(), mailbox.shift()];
    expect(names(taken)).toEqual([1, 2, 3, undefined]);
  });

  it('takes back what was taken, before all others and in its order', () => {
    const mailbox = mailboxOf();
    const [first, second] = [item(1), item(2)];
    for (const each of [first, second, item(3)]) mailbox.push(each);
    mailbox.shift();
    mailbox.shift();
    mailbox.push(item(4));
    mailbox.returnToFront([first, second]);
    expect(names(mailbox.clear())).toEqual([1, 2, 3, 4]);
  });

  it('is full at its capacity, and takes back what it once held even then', () => {
    const mailbox = mailboxOf({ capacity: 2 });
    mailbox.push(item(1));
    expect(mailbox.wouldBreak(0)).toBeUndefined();
    mailbox.push(item(2));
    expect(mailbox.wouldBreak(0)).toBe('capacity');
    mailbox.returnToFront([item(0)]);
    expect([mailbox.length, mailbox.wouldBreak(0)]).toEqual([3, 'capacity']);
  });

  it('is full when what waits holds too much; one alone may be of any size', () => {
    const mailbox = mailboxOf({ bytesMax: 100 });
    expect(mailbox.wouldBreak(1_000)).toBeUndefined();
    mailbox.push({ name: 1, bytes: 60 });
    expect([mailbox.wouldBreak(40), mailbox.wouldBreak(41)]).toEqual([undefined, 'bytesMax']);
    mailbox.shift();
    expect(mailbox.wouldBreak(1_000)).toBeUndefined();
  });

  it('gives up a hundred thousand one after the other, oldest first, in no time', () => {
    const mailbox = mailboxOf();
    const items = Array.from({ length: 100_000 }, (_, name) => item(name));
    for (const each of items) mailbox.push(each);
    expect(items.every((each) => mailbox.remove(each))).toBe(true);
    expect([mailbox.length, mailbox.bytes]).toEqual([0, 0]);
  });

  it('forgets what was taken: nothing it gave is kept alive', () => {
    const mailbox = mailboxOf();
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 20_000; i++) mailbox.push(item(i));
      for (let i = 0; i < 19_999; i++) mailbox.shift();
    }
    expect(mailbox.length).toBe(5);
    expect(names(mailbox.clear())).toEqual([19_995, 19_996, 19_997, 19_998, 19_999]);
  });
});
