import { describe, expect, it } from 'vitest';

import { imageOf, savedHeap } from '../../src/hosts/script/heap.ts';

const PAGE = 65_536;
const image = {
  memory: new Uint8Array(2 * PAGE),
  stackPointer: 100,
  runtimePtr: 200,
  contextPtr: 300,
  tokens: [400, 500],
};
const saved = savedHeap(image, {
  engine: 'quickjs 1',
  files: { 'script.js': 'abc' },
  config: 'c1',
});
const read = (value: unknown, engine = 'quickjs 1', same = true): unknown =>
  imageOf(value, { engine, config: 'c1' }, () => same);

describe("a script's heap", () => {
  it('comes back as it was, for the same code on the same engine', () => {
    expect(read(saved)).toMatchObject(image);
  });

  it.each([
    [
      'of another engine',
      saved,
      'quickjs 2',
      true,
      /another engine \(quickjs 1; this is quickjs 2\)/,
    ],
    ['of other code', saved, 'quickjs 1', false, /code is not the same/],
    ['of another config', { ...saved, config: 'c2' }, 'quickjs 1', true, /config is not the same/],
    ['that is a value of a script', { n: 1 }, 'quickjs 1', true, /not the heap/],
    ['that is nothing', undefined, 'quickjs 1', true, /not the heap/],
    ['of another format', { ...saved, version: 1 }, 'quickjs 1', true, /not the heap/],
    ['that is cut', { ...saved, memory: new Uint8Array(PAGE + 1) }, 'quickjs 1', true, /not the/],
    ['without bytes', { ...saved, memory: [1, 2] }, 'quickjs 1', true, /not the heap/],
    ['that points out of itself', { ...saved, contextPtr: 2 * PAGE }, 'quickjs 1', true, /not the/],
    ['with a broken token', { ...saved, tokens: [400, -1] }, 'quickjs 1', true, /not the heap/],
  ])('%s is refused, never misread', (_, value, engine, same, message) => {
    expect(() => read(value, engine, same)).toThrow(message);
  });
});
