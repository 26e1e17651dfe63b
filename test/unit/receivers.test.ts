import { describe, expect, it, vi } from 'vitest';

import {
  LinkReceiver,
  PromiseReceiver,
  StreamReceiver,
  type Progress,
} from '../../src/kernel/receivers.ts';
import { bodyOf, type Body } from '../../src/protocol/codec.ts';
import { PluginError } from '../../src/protocol/errors.ts';
import { FLAG, KIND } from '../../src/protocol/frame.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { toWireError } from '../../src/protocol/wire-error.ts';
import type { Call } from '../../src/supervisor/call.ts';
import { bodyFrom } from '../support/codec.ts';
import { payloadOf } from '../support/frames.ts';
import { linkFor } from '../support/link.ts';

const GARBAGE = bodyFrom(new Uint8Array([0xc1]));
const bodyWith = (value: unknown): Body => bodyOf(payloadOf(value));
const thrown = (error: Error): Body => bodyWith(toWireError(error));

function optionsFor() {
  const onProgress = vi.fn<(call: Call, progress: Progress) => void>();
  return { pluginId: 'p', limits: DEFAULT_LIMITS, onProgress };
}

function promised() {
  const [resolve, reject] = [vi.fn(), vi.fn()];
  const options = optionsFor();
  const receiver = new PromiseReceiver(options, resolve, reject);
  return { receiver, resolve, reject, ...options };
}

const CALL = {} as Call;

async function all(receiver: StreamReceiver | undefined): Promise<unknown[]> {
  const chunks: unknown[] = [];
  for await (const chunk of receiver?.chunks ?? []) chunks.push(chunk);
  return chunks;
}

describe('the receiver of execute', () => {
  it('resolves with the result, or with nothing where there is none', () => {
    const { receiver, resolve, reject } = promised();
    receiver.result(bodyWith(new Map([[1, 2n]])));
    receiver.end();
    expect(resolve.mock.calls).toEqual([[new Map([[1, 2n]])], [undefined]]);
    expect(reject).not.toHaveBeenCalled();
  });

  it('throws where the result cannot be decoded: the call is told', () => {
    const { receiver, resolve } = promised();
    expect(() => {
      receiver.result(GARBAGE);
    }).toThrow('malformed');
    expect(resolve).not.toHaveBeenCalled();
  });

  it('rejects with CALL_FAILED, and what the plugin threw as its cause', () => {
    const { receiver, reject } = promised();
    receiver.failure(thrown(Object.assign(new RangeError('too much'), { code: 'E_MUCH' })), false);
    const [[error]] = reject.mock.calls as [[PluginError]];
    expect(error).toMatchObject({
      code: 'CALL_FAILED',
      pluginId: 'p',
      message: 'p failed: too much',
    });
    expect(error.cause).toBeInstanceOf(RangeError);
    expect(error.cause).toMatchObject({ code: 'E_MUCH' });
  });

  it('rejects with an error of the runtime as it is', () => {
    const { receiver, reject } = promised();
    const sent = new PluginError('CALL_CYCLE', 'round', { pluginId: 'q', data: { chain: ['q'] } });
    receiver.failure(thrown(sent), true);
    receiver.reject(sent);
    const [[arrived], [own]] = reject.mock.calls as [[PluginError], [PluginError]];
    expect(arrived).toMatchObject({ code: 'CALL_CYCLE', pluginId: 'q', data: { chain: ['q'] } });
    expect(own).toBe(sent);
  });

  it('rejects also where the failure itself cannot be read', () => {
    const { receiver, reject } = promised();
    for (const body of [GARBAGE, bodyWith('no error'), bodyWith(null)])
      receiver.failure(body, true);
    expect(reject.mock.calls.map(([error]) => (error as PluginError).code)).toEqual([
      'PAYLOAD_INVALID',
      'CALL_FAILED',
      'CALL_FAILED',
    ]);
  });

  it('reports progress that is some, and no other', () => {
    const { receiver, onProgress } = promised();
    receiver.progress(bodyWith({ fraction: 0.5, note: 'half' }), CALL);
    receiver.progress(bodyWith({ fraction: 1, note: 7 }), CALL);
    for (const other of [null, 'half', 0.5, {}]) receiver.progress(bodyWith(other), CALL);
    expect(onProgress.mock.calls.map(([, progress]) => progress)).toEqual([
      { fraction: 0.5, note: 'half' },
      { fraction: 1, note: undefined },
    ]);
  });
});

describe('the receiver of stream', () => {
  it('hands over chunks, and a result as the only one', async () => {
    const [stream, single] = [1, 2].map(() => new StreamReceiver(optionsFor()));
    stream?.chunk(bodyWith(1));
    stream?.chunk(bodyWith(2));
    stream?.end();
    single?.result(bodyWith('all'));
    expect(await all(stream)).toEqual([1, 2]);
    expect(await all(single)).toEqual(['all']);
  });

  it('ends with the failure after the chunks before it', async () => {
    const receiver = new StreamReceiver(optionsFor());
    receiver.chunk(bodyWith(1));
    receiver.failure(thrown(new Error('broke')), false);
    expect(await receiver.chunks.next()).toEqual({ value: 1, done: false });
    await expect(receiver.chunks.next()).rejects.toMatchObject({
      code: 'CALL_FAILED',
      cause: { message: 'broke' },
    });
  });
});

describe('the receiver of another actor', () => {
  it('passes on every reply without decoding it, and says once that it is over', () => {
    const { link, transport } = linkFor();
    const settled = vi.fn();
    const to = { slot: 3, number: 9 };
    const receiver = new LinkReceiver(link, to, settled);
    receiver.progress(bodyWith({ fraction: 0.1 }));
    receiver.chunk(bodyWith(new Set([1])));
    expect(settled).not.toHaveBeenCalled();
    receiver.end();
    expect(settled).toHaveBeenCalledTimes(1);
    link.flush();
    expect(transport.sent[0]?.frames).toMatchObject([
      { kind: KIND.progress, ...to, flags: 0, value: { fraction: 0.1 } },
      { kind: KIND.chunk, ...to, flags: FLAG.rich, value: new Set([1]) },
      { kind: KIND.end, ...to, value: undefined },
    ]);
  });

  it("passes on results and failures, the runtime's as such", () => {
    const { link, transport } = linkFor();
    const to = { slot: 3, number: 9 };
    const receiver = new LinkReceiver(link, to, vi.fn());
    receiver.result(bodyWith('r'));
    receiver.failure(thrown(new Error('theirs')), false);
    receiver.reject(new PluginError('NO_ROUTE', 'ours'));
    link.flush();
    expect(transport.sent[0]?.frames).toMatchObject([
      { kind: KIND.result, ...to, flags: 0, value: 'r' },
      { kind: KIND.failure, ...to, flags: 0, value: { message: 'theirs' } },
      {
        kind: KIND.failure,
        ...to,
        flags: FLAG.runtime,
        value: { code: 'NO_ROUTE', message: 'ours' },
      },
    ]);
  });
});
