import { expect, it } from 'vitest';

import { uninterruptedOn } from '../../src/actor/uninterrupted.ts';
import { SharedWords } from '../../src/protocol/board-words.ts';
import { boardBytes, SignalBoard } from '../../src/protocol/signal-board.ts';

function section() {
  const memory = new SharedArrayBuffer(boardBytes(1));
  const main = new SignalBoard(new SharedWords(memory));
  return {
    isOpen: () => main.isInSection(),
    uninterrupted: uninterruptedOn(new SignalBoard(new SharedWords(memory)), 'p'),
  };
}

it('gives what the work gives, in a section that is over then', () => {
  const { uninterrupted, isOpen } = section();
  expect(uninterrupted(() => isOpen())).toBe(true);
  expect(isOpen()).toBe(false);
});

it('nested, the section lasts as long as the outer one', () => {
  const { uninterrupted, isOpen } = section();
  const seen = uninterrupted(() => {
    const inner = uninterrupted(() => isOpen());
    return [inner, isOpen()];
  });
  expect(seen).toEqual([true, true]);
  expect(isOpen()).toBe(false);
});

it('throws what the work throws, and the section is over', () => {
  const { uninterrupted, isOpen } = section();
  const wrong = new Error('it went wrong');
  expect(() =>
    uninterrupted(() => {
      throw wrong;
    }),
  ).toThrow(wrong);
  expect(isOpen()).toBe(false);
});

it('refuses work that returns a promise, by the name of the plugin', () => {
  const { uninterrupted, isOpen } = section();
  expect(() => uninterrupted(() => Promise.reject(new Error('later')))).toThrow(
    /plugin p: .* returned a promise.*await outside of it/,
  );
  expect(isOpen()).toBe(false);
});

it('without a thread that could be ended, just works', () => {
  const uninterrupted = uninterruptedOn(undefined, 'p');
  expect(uninterrupted(() => 'done')).toBe('done');
});
