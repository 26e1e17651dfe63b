import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ReloadTrigger } from '../../src/kernel/reload-trigger.ts';
import type { ReloadStrategy } from '../../src/protocol/limits.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function triggered(strategy: ReloadStrategy) {
  const seen = { due: 0, isIdle: true };
  const trigger = new ReloadTrigger({
    strategy,
    debounceMs: 100,
    isIdle: () => seen.isIdle,
    due: () => {
      seen.due++;
    },
  });
  return { trigger, seen };
}

describe('a change becomes a reload', () => {
  it('immediate: at once, each', () => {
    const { trigger, seen } = triggered('immediate');
    trigger.changed();
    trigger.changed();
    expect(seen.due).toBe(2);
  });

  it('debounced: once nothing has changed for the time', () => {
    const { trigger, seen } = triggered('debounced');
    for (let change = 0; change < 5; change++) {
      trigger.changed();
      vi.advanceTimersByTime(99);
      expect(seen.due).toBe(0);
    }
    vi.advanceTimersByTime(1);
    expect(seen.due).toBe(1);
    vi.advanceTimersByTime(1_000);
    expect(seen.due).toBe(1);
  });

  it('idle: then, as soon as there is no call', () => {
    const { trigger, seen } = triggered('idle');
    seen.isIdle = false;
    trigger.changed();
    vi.advanceTimersByTime(5_000);
    expect(seen.due).toBe(0);
    seen.isIdle = true;
    vi.advanceTimersByTime(20);
    expect(seen.due).toBe(1);
  });

  it('manual: never', () => {
    const { trigger, seen } = triggered('manual');
    trigger.changed();
    vi.advanceTimersByTime(5_000);
    expect(seen.due).toBe(0);
  });

  it('not after its end', () => {
    const { trigger, seen } = triggered('debounced');
    trigger.changed();
    trigger.close();
    vi.advanceTimersByTime(5_000);
    expect(seen.due).toBe(0);
  });
});
