import * as orama from '@orama/orama';
import { describe, expect, it } from 'vitest';

import { TextIndex } from '../../plugins/memory/text-index.ts';
import { wordsOf } from '../../plugins/memory/words.ts';

describe('words', () => {
  it.each([
    ['The CAT, the cat!', ['the', 'cat']],
    ['Ada’s engines', ['ada', 'engine']],
    ['Crème brûlée, naïve', ['creme', 'brulee', 'naive']],
    ['ﬁle user_id 42', ['file', 'user_id', '42']],
    ['Привет, мир', ['привет', 'мир']],
    ['हिन्दी भाषा', ['हिन्दी', 'भाषा']],
    ['한국어 검색', ['한국어', '검색']],
    ['… — !?', []],
  ])('of %j', (text, words) => {
    expect(wordsOf(text, cut)).toEqual(words);
  });

  it('are found where a script puts no spaces between them', () => {
    expect(wordsOf('東京に住んでいます', undefined)).toContain('東京');
  });
});

describe('an index of texts', () => {
  it('finds what has any of the words, and first what has the more and the rarer ones', () => {
    const made = index('the cat sleeps', 'the dog sleeps', 'the cat and the dog', 'a green tree');
    const [first, ...others] = slots(made, 'dog and cat');
    expect([first, new Set(others)]).toEqual([2, new Set([0, 1])]);
    expect(slots(made, 'green the')[0]).toBe(3);
  });

  it('compares words whole, by their English stems, and not by their beginnings', () => {
    const made = index('the engines were running', 'an article', 'art is long');
    expect(slots(made, 'engine run')).toEqual([0]);
    expect(slots(made, 'art')).toEqual([2]);
  });

  it('finds nothing for words that are not there, or for none', () => {
    const made = index('the cat');
    expect([made.search('dog'), made.search('…'), index().search('cat')]).toEqual([[], [], []]);
  });

  it('holds words that every object has', () => {
    const made = index('constructor __proto__ hasOwnProperty', 'toString', 'nothing');
    expect(slots(made, 'constructor')).toEqual([0]);
    expect(slots(made, '__proto__')).toEqual([0]);
    expect(slots(made, 'tostring')).toEqual([1]);
    expect(slots(made, 'valueOf')).toEqual([]);
  });

  it('is after any changes as if made anew, scores included', () => {
    const words = ['cat', 'dog', 'tree', 'green', 'runs', 'catalogue', 'do', 'a', 'x1', 'trees'];
    let seed = 5;
    const chance = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((seed / 2_147_483_648) * below);
    };
    const text = (): string =>
      Array.from({ length: 1 + chance(6) }, () => words[chance(words.length)]).join(' ');
    const changed = new TextIndex(orama, { stemming: true });
    const there = new Map<number, string>();
    for (let step = 0; step < 600; step++) {
      const slot = chance(30);
      if (there.delete(slot)) changed.remove(slot);
      else {
        there.set(slot, text());
        changed.add(slot, there.get(slot) ?? '');
      }
    }
    const anew = new TextIndex(orama, { stemming: true });
    for (const [slot, each] of there) anew.add(slot, each);
    for (const term of [...words, 'cat dog', 'green trees a']) {
      const [got, expected] = [changed, anew].map((made) => new Map(made.search(term)));
      expect(new Set(got?.keys())).toEqual(new Set(expected?.keys()));
      for (const [slot, score] of expected ?? []) expect(got?.get(slot)).toBeCloseTo(score, 9);
    }
  });
});

function cut(word: string): string {
  return word.replace(/s$/, '');
}

function index(...texts: string[]): TextIndex {
  const made = new TextIndex(orama, { stemming: true });
  for (const [slot, text] of texts.entries()) made.add(slot, text);
  return made;
}

function slots(made: TextIndex, term: string): number[] {
  return made.search(term).map(([slot]) => slot);
}
