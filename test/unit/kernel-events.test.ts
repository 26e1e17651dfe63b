import { describe, expect, it, vi } from 'vitest';

import { KernelEvents, type KernelEvent } from '../../src/kernel/kernel-events.ts';
import { EVENT_BACKLOG_MAX } from '../../src/protocol/limits.ts';
import { turns } from '../support/turns.ts';

const DONE = { value: undefined, done: true };

/** Emits warnings that are told apart by their text. */
function warn(events: KernelEvents, ...messages: string[]): void {
  for (const message of messages) events.emit('warning', 'p', 1, { message });
}

const late = (): unknown => Promise.reject(new Error('later'));

function textOf(event: unknown): string {
  const { message, type } = event as { message?: string; type?: string };
  return message ?? String(type);
}

describe('a listener', () => {
  it('hears the events of its type, whole', () => {
    const events = new KernelEvents();
    const heard = vi.fn();
    events.on('state-changed', heard);
    const before = Date.now();
    events.emit('state-changed', 'p', 3, { from: 'loaded', to: 'initialized' });
    events.emit('restarted', 'p', 3, {});
    expect(heard.mock.calls).toEqual([
      [
        {
          type: 'state-changed',
          id: 'p',
          generation: 3,
          at: expect.any(Number) as number,
          from: 'loaded',
          to: 'initialized',
        },
      ],
    ]);
    const [[event]] = heard.mock.calls as [[KernelEvent]];
    expect(event.at).toBeGreaterThanOrEqual(before);
  });

  it('of * hears every type, after those of the type itself', () => {
    const events = new KernelEvents();
    const heard: string[] = [];
    events.on('*', ({ type }) => heard.push(`* ${type}`));
    events.on('registered', ({ type }) => heard.push(type));
    events.emit('registered', 'p', 0, {});
    events.emit('restarted', 'p', 1, {});
    expect(heard).toEqual(['registered', '* registered', '* restarted']);
  });

  it('given twice is told twice, and ends one by one', () => {
    const events = new KernelEvents();
    const heard = vi.fn();
    const [endFirst] = [events.on('warning', heard), events.on('warning', heard)];
    warn(events, 'one');
    endFirst();
    endFirst();
    warn(events, 'two');
    expect(heard).toHaveBeenCalledTimes(3);
  });

  it('counts as long as it listens', () => {
    const events = new KernelEvents();
    expect(events.hasListeners('log')).toBe(false);
    const [endLog, endAll] = [events.on('log', vi.fn()), events.on('*', vi.fn())];
    expect([events.hasListeners('log'), events.hasListeners('warning')]).toEqual([true, true]);
    endAll();
    expect([events.hasListeners('log'), events.hasListeners('warning')]).toEqual([true, false]);
    endLog();
    expect(events.hasListeners('log')).toBe(false);
    events.onAny(vi.fn());
    expect(events.hasListeners('log')).toBe(false);
  });

  it('that leaves and comes back while it is told is told once', () => {
    const events = new KernelEvents();
    let told = 0;
    const again = (): void => {
      end();
      if (++told < 50) end = events.on('restarted', again);
    };
    let end = events.on('restarted', again);
    events.emit('restarted', 'p', 1, {});
    expect(told).toBe(1);
  });
});

describe('a listener that throws', () => {
  const throws: [string, unknown, string][] = [
    ['an error', new Error('mine'), 'mine'],
    ['undefined', undefined, 'undefined'],
    ['an object without a prototype', Object.create(null), 'a listener for restarted threw'],
    [
      'an object whose text throws',
      {
        toString: () => {
          throw new Error('no');
        },
      },
      'a listener for restarted threw',
    ],
  ];

  it.each(throws)('%s harms nobody, and is told of in a warning', (_, thrown, text) => {
    const events = new KernelEvents();
    const [other, warned] = [vi.fn(), vi.fn<(event: KernelEvent<'warning'>) => void>()];
    events.on('restarted', () => {
      throw thrown;
    });
    events.on('restarted', other);
    events.on('warning', warned);
    events.emit('restarted', 'p', 2, {});
    expect(other).toHaveBeenCalledTimes(1);
    expect(warned).toHaveBeenCalledTimes(1);
    expect(warned.mock.calls[0]?.[0]).toMatchObject({ type: 'warning', id: 'p', generation: 2 });
    expect(warned.mock.calls[0]?.[0].message).toContain(text);
  });

  it('later, by a promise, is told of as well', async () => {
    const events = new KernelEvents();
    const warned = vi.fn<(event: unknown) => void>();
    events.on('warning', warned);
    events.on('restarted', late);
    events.emit('restarted', 'p', 2, {});
    await turns();
    expect(warned.mock.calls).toMatchObject([[{ type: 'warning', id: 'p', generation: 2 }]]);
    expect(textOf(warned.mock.calls[0]?.[0])).toMatch(/^a listener for restarted threw: .*later$/);
  });

  it('at warnings, too, does not warn of itself for ever', () => {
    const events = new KernelEvents();
    let told = 0;
    events.on('*', () => {
      told++;
      throw new Error('always');
    });
    events.emit('restarted', 'p', 1, {});
    expect(told).toBe(2);
  });
});

describe('an iterator of events', () => {
  it('gives every event from when it was made, in order', async () => {
    const events = new KernelEvents();
    warn(events, 'before');
    const feed = events.events()[Symbol.asyncIterator]();
    warn(events, 'one', 'two');
    const waiting = [await feed.next(), await feed.next(), feed.next()] as const;
    warn(events, 'three');
    const texts = [waiting[0], waiting[1], await waiting[2]].map(({ value }) => textOf(value));
    expect(texts).toEqual(['one', 'two', 'three']);
  });

  it('gives each to every reader', async () => {
    const events = new KernelEvents();
    const feeds = [1, 2].map(() => events.events()[Symbol.asyncIterator]());
    warn(events, 'one');
    const read = await Promise.all(feeds.map((feed) => feed.next()));
    expect(read.map(({ value }) => textOf(value))).toEqual(['one', 'one']);
  });

  it('gives two that wait an event each', async () => {
    const events = new KernelEvents();
    const feed = events.events()[Symbol.asyncIterator]();
    const read: string[] = [];
    for (let i = 0; i < 2; i++) void feed.next().then(({ value }) => read.push(textOf(value)));
    warn(events, 'one', 'two');
    await turns();
    expect(read).toEqual(['one', 'two']);
  });

  it('ends when it is broken off, and gathers no more', async () => {
    const events = new KernelEvents();
    const read: string[] = [];
    warn(events, 'before');
    const iterable = events.events();
    const reading = (async () => {
      for await (const event of iterable) {
        read.push(textOf(event));
        if (read.length === 2) break;
      }
    })();
    warn(events, 'one', 'two', 'three');
    await reading;
    expect(read).toEqual(['one', 'two']);
  });

  it('gives what has come and then ends, when the manager closes', async () => {
    const events = new KernelEvents();
    const [reading, waiting] = [1, 2].map(() => events.events()[Symbol.asyncIterator]());
    const next = waiting?.next();
    warn(events, 'one');
    const second = waiting?.next();
    events.close();
    expect(textOf((await next)?.value)).toBe('one');
    expect(await second).toEqual(DONE);
    expect(textOf((await reading?.next())?.value)).toBe('one');
    expect(await reading?.next()).toEqual(DONE);
  });

  it('that falls behind loses the oldest, and is not kept waiting', async () => {
    const events = new KernelEvents();
    const feed = events.events()[Symbol.asyncIterator]();
    for (let i = 0; i < EVENT_BACKLOG_MAX + 5; i++) warn(events, String(i));
    expect(textOf((await feed.next()).value)).toBe('5');
  });
});
