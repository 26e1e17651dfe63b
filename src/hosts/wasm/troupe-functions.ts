/**
 * `troupe:host/env`: what a guest has of the runtime around it. Each of these is synchronous for
 * the guest, whose thread stands still until the kernel has answered. Values are JSON texts in
 * blocks; address 0 is no value. What goes wrong is no trap: the function returns 0 (or 1, where
 * it returns a status), and `error` says what it was.
 */
import type { AbiScope } from './extism-functions.ts';
import { valueOf } from './output.ts';

export const TROUPE_MODULE = 'troupe:host/env';

export function troupeFunctions(scope: AbiScope): Record<string, unknown> {
  const { blocks, blocking, output, streams } = scope;
  let failure: { code: unknown; message: string } | undefined;
  const attempt = <T>(work: () => T): T | undefined => {
    failure = undefined;
    try {
      return work();
    } catch (error) {
      // the guest's own call is over: it does not go on
      if (!(error instanceof Error) || error.name !== 'PluginError') throw error;
      failure = { code: 'code' in error ? error.code : undefined, message: error.message };
      return undefined;
    }
  };
  /** Bytes go as they are. */
  const given = (value: unknown): bigint => {
    if (value instanceof Uint8Array) return blocks.add(value);
    try {
      return blocks.add(JSON.stringify(value) ?? 'null');
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      failure = { code: 'PAYLOAD_INVALID', message: `it is not JSON: ${error.message}` };
      return 0n;
    }
  };
  const done = (work: () => unknown): number => {
    attempt(work);
    return failure ? 1 : 0;
  };
  return {
    call(plugin: bigint, input: bigint): bigint {
      const value = attempt(() =>
        blocking.call(blocks.text(plugin), blocks.json(input, 'the input of its call')),
      );
      return failure ? 0n : given(value);
    },
    state_get(key: bigint): bigint {
      const value = attempt(() => blocking.service({ op: 'state.get', key: blocks.text(key) }));
      return value === undefined ? 0n : given(value);
    },
    state_set: (key: bigint, value: bigint): number =>
      done(() =>
        value === 0n
          ? blocking.service({ op: 'state.delete', key: blocks.text(key) })
          : blocking.service({
              op: 'state.set',
              key: blocks.text(key),
              value: blocks.json(value, 'the value of shared state'),
            }),
      ),
    emit: (topic: bigint, data: bigint): number =>
      done(() =>
        blocking.service({
          op: 'events.emit',
          topic: blocks.text(topic),
          data: blocks.json(data, 'the data of its event'),
        }),
      ),
    error: (): bigint => blocks.add(failure ? JSON.stringify(failure) : ''),
    now(): bigint {
      blocking.checkpoint();
      return BigInt(Date.now());
    },
    checkpoint(): void {
      blocking.checkpoint();
    },
    output_chunk(at: bigint): void {
      const bytes = blocks.view(at);
      streams.chunks++;
      blocking.push(valueOf(bytes, output, { keep: true }), bytes.byteLength);
    },
  };
}
