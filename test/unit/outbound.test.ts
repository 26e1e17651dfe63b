import { getEventListeners } from 'node:events';

import { describe, expect, it } from 'vitest';

import { Outbound } from '../../src/actor/outbound.ts';
import type { CallOptions } from '../../src/plugin.ts';
import { FLAG, KIND, type Kind } from '../../src/protocol/frame.ts';
import { APART_BYTES_MIN, DEFAULT_LIMITS, OUTBOUND_BYTES_MAX } from '../../src/protocol/limits.ts';
import { toWireError } from '../../src/protocol/wire-error.ts';
import { batchOf, frameBytes } from '../support/frames.ts';
import { linkFor } from '../support/link.ts';

function setUp() {
  const { link, transport, malformed } = linkFor({ slots: 16 });
  const outbound = new Outbound({
    pluginId: 'caller',
    limits: DEFAULT_LIMITS,
    link,
    parent: () => 0,
    urge: () => {
      link.flush();
    },
  });
  return {
    outbound,
    malformed,
    /** Answers the one call there is. */
    answer(kind: Kind, value?: unknown, flags = 0): void {
      transport.arrive(batchOf(frameBytes({ kind, flags, slot: 0, number: 1 }, value)));
    },
    get lastSent() {
      return transport.sent.at(-1) ?? { attachments: [], bytes: 0 };
    },
    get sent() {
      return transport.sent.flatMap(({ frames }) => frames.map((frame) => frame?.kind));
    },
  };
}

it('the open calls of an actor carry so much together, and an answered one nothing', async () => {
  const { outbound, answer } = setUp();
  const large = new Uint8Array(30 * 1_024 * 1_024);
  const room = Math.floor(OUTBOUND_BYTES_MAX / large.byteLength);
  const [first] = Array.from({ length: room }, () => outbound.call('other', large));
  await expect(outbound.call('other', large)).rejects.toMatchObject({
    code: 'MAILBOX_FULL',
    message: expect.stringContaining(`more than ${String(OUTBOUND_BYTES_MAX)} bytes`) as string,
  });
  answer(KIND.result, 1);
  expect(await first).toBe(1);
  const last = outbound.call('other', large);
  expect(await Promise.race([last, Promise.resolve('open')])).toBe('open');
});

describe.each([
  ['result', KIND.result, 'fine'],
  ['failure', KIND.failure, toWireError(new Error('no'))],
  ['end', KIND.end, undefined],
  ['skipped', KIND.skipped, undefined],
] as const)('a call of an actor that ends by %s', (_name, kind, value) => {
  it.each([
    ['call', (outbound: Outbound, options: CallOptions) => outbound.call('other', 1, options)],
    ['stream', (outbound: Outbound, options: CallOptions) => firstOf(outbound, options)],
  ] as const)('no longer listens to its signal: %s', async (_way, make) => {
    const { signal } = new AbortController();
    const { outbound, answer } = setUp();
    const settled = Promise.allSettled([make(outbound, { signal })]);
    answer(KIND.progress, { fraction: 0.5 });
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    answer(kind, value);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    await settled;
  });
});

describe('a call of an actor', () => {
  it('is given up by its signal', () => {
    const controller = new AbortController();
    const scene = setUp();
    void scene.outbound.call('other', 1, { signal: controller.signal });
    controller.abort();
    expect(scene.sent).toEqual([KIND.bind, KIND.call, KIND.cancel]);
  });

  it('lends its large buffers: they travel beside the bytes, and stay the caller’s', () => {
    const scene = setUp();
    const large = new Uint8Array(APART_BYTES_MIN).fill(7);
    void scene.outbound.call('other', { large, small: new Uint8Array(8) });
    const { attachments, bytes } = scene.lastSent;
    expect(attachments).toEqual([large.buffer]);
    expect(bytes).toBeLessThan(1_000);
    expect(large.byteLength).toBe(APART_BYTES_MIN);
  });

  it('is rejected with what the other plugin threw, or what the runtime says', async () => {
    const theirs = setUp();
    const called = theirs.outbound.call('other', 1);
    theirs.answer(KIND.failure, toWireError(new RangeError('too much')));
    await expect(called).rejects.toMatchObject({
      code: 'CALL_FAILED',
      message: 'other failed: too much',
      cause: { name: 'RangeError' },
    });
    const ours = setUp();
    const refused = ours.outbound.call('other', 1);
    const wire = { ...toWireError(new Error('gone')), code: 'NOT_FOUND', plugin: { data: {} } };
    ours.answer(KIND.failure, wire, FLAG.runtime);
    await expect(refused).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'gone' });
  });

  it('is rejected also where its failure cannot be read', async () => {
    const { outbound, answer, malformed } = setUp();
    const called = outbound.call('other', 1);
    answer(KIND.failure, 'no error');
    await expect(called).rejects.toMatchObject({
      code: 'CALL_FAILED',
      message: 'other failed: for no reason given',
    });
    const second = setUp();
    const chunk = firstOf(second.outbound);
    // an empty body is no value
    second.answer(KIND.failure);
    await expect(chunk).rejects.toMatchObject({ code: 'CALL_FAILED', pluginId: 'other' });
    expect([...malformed, ...second.malformed]).toEqual([]);
  });
});

function firstOf(outbound: Outbound, options?: CallOptions): Promise<unknown> {
  return outbound.stream('other', 1, options)[Symbol.asyncIterator]().next();
}
