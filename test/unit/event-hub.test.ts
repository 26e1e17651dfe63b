import { describe, expect, it, vi } from 'vitest';

import { EventHub } from '../../src/kernel/event-hub.ts';
import type { BusEvent } from '../../src/protocol/report.ts';

const event = (topic: string): BusEvent => ({ topic, data: 1, from: 'p', at: 0 });

describe('the event hub', () => {
  it('tells an event to each subscriber of its topic, in the order they came', () => {
    const hub = new EventHub();
    const heard: string[] = [];
    hub.subscribe('a', ({ topic }) => heard.push(`first ${topic}`));
    hub.subscribe('b', ({ topic }) => heard.push(`other ${topic}`));
    hub.subscribe('a', ({ topic }) => heard.push(`second ${topic}`));
    hub.emit(event('a'));
    expect(heard).toEqual(['first a', 'second a']);
  });

  it('tells every topic to *, once', () => {
    const hub = new EventHub();
    const heard: string[] = [];
    hub.subscribe('*', ({ topic }) => heard.push(topic));
    for (const topic of ['a', '', '*', '__proto__', 'constructor']) hub.emit(event(topic));
    expect(heard).toEqual(['a', '', '*', '__proto__', 'constructor']);
  });

  it('hands over the event as it is', () => {
    const hub = new EventHub();
    const sent = event('a');
    const heard = vi.fn();
    hub.subscribe('a', heard);
    hub.emit(sent);
    expect(heard.mock.calls).toEqual([[sent]]);
  });

  it('tells nothing once a subscription ended, and the others go on', () => {
    const hub = new EventHub();
    const [first, second] = [vi.fn(), vi.fn()];
    const end = hub.subscribe('a', first);
    hub.subscribe('a', second);
    end();
    end();
    hub.emit(event('a'));
    expect([first.mock.calls.length, second.mock.calls.length]).toEqual([0, 1]);
  });

  it('ends with a subscription that one alone, however often it is ended', () => {
    const hub = new EventHub();
    const heard = vi.fn();
    const end = hub.subscribe('a', () => undefined);
    end();
    hub.subscribe('a', heard);
    end();
    hub.emit(event('a'));
    expect(heard).toHaveBeenCalledTimes(1);
  });

  it('takes subscribers that come and go while it tells', () => {
    const hub = new EventHub();
    const heard: string[] = [];
    let rounds = 0;
    const again = (): void => {
      heard.push('again');
      end();
      // one that comes back each time must not be told of the same event for ever
      if (++rounds < 50) end = hub.subscribe('a', again);
    };
    let end = hub.subscribe('a', again);
    hub.subscribe('a', () => heard.push('steady'));
    hub.emit(event('a'));
    expect(heard).toEqual(['again', 'steady']);
  });
});
