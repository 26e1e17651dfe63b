import { describe, expect, it } from 'vitest';

import { heapFlagOf } from '../../src/kernel/heap-flag.ts';
import { silentLooks } from '../../src/supervisor/idle-watch.ts';

const SILENT = { excused: false, slept: false, answered: false };

describe('a look at a thread', () => {
  it('counts on while it neither sleeps nor answers', () => {
    expect(silentLooks(0, SILENT)).toBe(1);
    expect(silentLooks(3, SILENT)).toBe(4);
  });

  it.each([{ excused: true }, { slept: true }])('forgets its silence where it is %o', (look) => {
    expect(silentLooks(3, { ...SILENT, ...look })).toBe(0);
  });

  it('begins anew with one that is busy but has answered', () => {
    expect(silentLooks(3, { ...SILENT, answered: true })).toBe(1);
    expect(silentLooks(0, { ...SILENT, answered: true })).toBe(1);
  });
});

describe('the heap flag', () => {
  it.each([
    [['--max-old-space-size=4096'], undefined, '--max-old-space-size=4096'],
    [['--inspect', '--max_old_space_size', '512'], undefined, '--max_old_space_size 512'],
    [[], '--no-warnings --max-old-space-size=100', '--max-old-space-size=100'],
    [['--inspect'], '--no-warnings', undefined],
    [[], undefined, undefined],
  ])('is found in %j and %j', (execArgv, nodeOptions, flag) => {
    expect(heapFlagOf(execArgv, nodeOptions)).toBe(flag);
  });
});
