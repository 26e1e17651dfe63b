import assert from 'node:assert/strict';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Mailbox } from '../../src/supervisor/mailbox.ts';

interface Model {
  items: number[];
  taken: number[];
  next: number;
}

type Real = Mailbox<number>;
type Command = fc.Command<Model, Real>;

/** A step on both sides that must give the same, named for the report. */
function step(name: string, run: (model: Model, real: Real) => void): Command {
  return {
    check: () => true,
    run(model, real) {
      run(model, real);
      assert.equal(real.length, model.items.length);
      assert.equal(real.peek(), model.items[0]);
      assert.equal(real.isFull, model.items.length >= real.capacity);
    },
    toString: () => name,
  };
}

const commands = [
  fc.integer({ min: 1, max: 3_000 }).map((count) =>
    step(`push ${String(count)}`, (model, real) => {
      for (let i = 0; i < count; i++) {
        real.push(model.next);
        model.items.push(model.next++);
      }
    }),
  ),
  fc.integer({ min: 1, max: 3_000 }).map((count) =>
    step(`shift ${String(count)}`, (model, real) => {
      for (let i = 0; i < count; i++) {
        const item = model.items.shift();
        assert.equal(real.shift(), item);
        if (item !== undefined) model.taken.push(item);
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
      const item = model.items[at] ?? -1;
      assert.equal(real.remove(item), at < model.items.length);
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
  return { model: { items: [], taken: [], next: 0 }, real: new Mailbox<number>(1_000) };
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
    const mailbox = new Mailbox<string>(10);
    for (const item of ['a', 'b', 'c']) mailbox.push(item);
    expect([mailbox.shift(), mailbox.shift(), mailbox.shift(), mailbox.shift()]).toEqual([
      'a',
      'b',
      'c',
      undefined,
    ]);
  });

  it('takes back what was taken, before all others and in its order', () => {
    const mailbox = new Mailbox<string>(10);
    for (const item of ['a', 'b', 'c']) mailbox.push(item);
    const [first, second] = [mailbox.shift() ?? '', mailbox.shift() ?? ''];
    mailbox.push('d');
    mailbox.returnToFront([first, second]);
    expect(mailbox.clear()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('is full at its capacity, and takes back what it once held even then', () => {
    const mailbox = new Mailbox<number>(2);
    mailbox.push(1);
    expect(mailbox.isFull).toBe(false);
    mailbox.push(2);
    expect(mailbox.isFull).toBe(true);
    mailbox.returnToFront([0]);
    expect([mailbox.length, mailbox.isFull]).toEqual([3, true]);
  });

  it('forgets what was taken: nothing it gave is kept alive', () => {
    const mailbox = new Mailbox<number>(1e6);
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 20_000; i++) mailbox.push(i);
      for (let i = 0; i < 19_999; i++) mailbox.shift();
    }
    expect(mailbox.length).toBe(5);
    expect(mailbox.clear()).toEqual([19_995, 19_996, 19_997, 19_998, 19_999]);
  });
});
