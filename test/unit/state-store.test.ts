import { describe, expect, it, vi } from 'vitest';

import { StateStore } from '../../src/kernel/state-store.ts';
import { CodecError } from '../../src/protocol/codec-error.ts';
import { valueOf } from '../support/frames.ts';

describe('shared state', () => {
  it('gives what was set, as a copy each time', () => {
    const state = new StateStore();
    const value = { list: [1], map: new Map([['k', 1n]]) };
    state.set('key', value);
    value.list.push(2);
    const read = state.get('key') as typeof value;
    read.list.push(3);
    expect(state.get('key')).toEqual({ list: [1], map: new Map([['k', 1n]]) });
  });

  it('holds no more than it may, keys included, and has room again for what is deleted', () => {
    const state = new StateStore(4_096);
    state.set('large', 'x'.repeat(3_000));
    const refused = expect.objectContaining({ code: 'PAYLOAD_TOO_LARGE' }) as Error;
    expect(() => {
      state.set('k'.repeat(600), 1);
    }).toThrow(refused);
    expect(() => {
      state.set('large', 'x'.repeat(5_000));
    }).toThrow(refused);
    expect(String(state.get('large'))).toHaveLength(3_000);
    state.set('large', 'x');
    state.set('k'.repeat(600), 1);
    state.delete('k'.repeat(600));
    state.set('other', 'x'.repeat(3_000));
    expect(state.keys()).toEqual(['large', 'other']);
  });

  it('knows nothing of a key that was never set', () => {
    const state = new StateStore();
    expect([state.get('k'), state.payload('k'), state.version('k'), state.delete('k')]).toEqual([
      undefined,
      undefined,
      0,
      false,
    ]);
    expect(state.keys()).toEqual([]);
  });

  it('tells a value that is undefined from none', () => {
    const state = new StateStore();
    state.set('key', undefined);
    expect(state.keys()).toEqual(['key']);
    expect(state.version('key')).toBeGreaterThan(0);
  });

  it('takes any key, also those of Object.prototype', () => {
    const state = new StateStore();
    for (const key of ['', '__proto__', 'constructor', 'a b', 'ключ']) state.set(key, key);
    expect(state.keys()).toEqual(['', '__proto__', 'constructor', 'a b', 'ключ']);
    expect(state.get('__proto__')).toBe('__proto__');
    expect(state.get('toString')).toBeUndefined();
  });

  it('shares shared memory', () => {
    const state = new StateStore();
    const memory = new SharedArrayBuffer(4);
    state.set('memory', { memory });
    expect(state.get('memory')).toEqual({ memory });
    expect((state.get('memory') as { memory: unknown }).memory).toBe(memory);
  });

  it('keeps the old value where the new one cannot be sent', () => {
    const state = new StateStore();
    const heard = vi.fn();
    state.set('key', 'old');
    state.onChange('key', heard);
    const version = state.version('key');
    expect(() => {
      state.set('key', () => 1);
    }).toThrow(CodecError);
    expect([state.get('key'), state.version('key'), heard.mock.calls.length]).toEqual([
      'old',
      version,
      0,
    ]);
  });
});

describe('a version', () => {
  it('is new with each change, and never comes again, also after a delete', () => {
    const state = new StateStore();
    const seen = new Set<number>();
    for (let i = 0; i < 3; i++) {
      state.set('key', i);
      seen.add(state.version('key'));
      state.delete('key');
      expect(state.version('key')).toBe(0);
    }
    expect(seen.size).toBe(3);
  });

  it('lets a swap through only where nobody changed the value since', () => {
    const state = new StateStore();
    expect(state.swap('key', 'first', 0)).toBe(true);
    expect(state.swap('key', 'again', 0)).toBe(false);
    const version = state.version('key');
    state.set('key', 'other');
    expect(state.swap('key', 'late', version)).toBe(false);
    expect(state.get('key')).toBe('other');
    expect(state.swap('key', 'last', state.version('key'))).toBe(true);
    expect(state.get('key')).toBe('last');
  });

  it('of a value that was deleted and set again is another', () => {
    const state = new StateStore();
    state.set('key', 1);
    const version = state.version('key');
    state.delete('key');
    state.set('key', 1);
    expect(state.swap('key', 2, version)).toBe(false);
  });
});

describe('a listener', () => {
  it('hears each change of its key, encoded, and a delete as nothing', () => {
    const state = new StateStore();
    const heard: unknown[] = [];
    state.onChange('key', (payload) => heard.push(payload && valueOf(payload)));
    state.set('key', 1);
    state.set('other', 2);
    state.swap('key', 3, state.version('key'));
    state.swap('key', 4, 0);
    state.delete('key');
    state.delete('key');
    expect(heard).toEqual([1, 3, undefined]);
  });

  it('hears no more once it ended, and the others do', () => {
    const state = new StateStore();
    const [first, second] = [vi.fn(), vi.fn()];
    const end = state.onChange('key', first);
    state.onChange('key', second);
    end();
    end();
    state.set('key', 1);
    expect([first.mock.calls.length, second.mock.calls.length]).toEqual([0, 1]);
  });

  it('may come back after the last of a key ended', () => {
    const state = new StateStore();
    const heard = vi.fn();
    state.onChange('key', heard)();
    state.onChange('key', heard);
    state.set('key', 1);
    expect(heard).toHaveBeenCalledTimes(1);
  });

  it('that ended twice does not end one that came after it', () => {
    const state = new StateStore();
    const heard = vi.fn();
    const end = state.onChange('key', () => undefined);
    end();
    state.onChange('key', heard);
    end();
    state.set('key', 1);
    expect(heard).toHaveBeenCalledTimes(1);
  });
});
