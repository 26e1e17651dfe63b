/** Streams of WebAssembly guests: an exported iterator, or chunks that a call gives as it goes. */
import { describe, expect, it } from 'vitest';

import { eventually } from '../support/eventually.ts';
import { runGuest, statsOf, wat } from '../support/guests.ts';
import { createManager } from '../support/manager.ts';
import { failureOf, readAll } from '../support/outcomes.ts';

describe('an exported iterator', () => {
  it('is a stream of what it puts out, until it says that it is over', async () => {
    const guest = await runGuest(createManager());
    const stream = guest.stream({ function: 'down', input: '3' });
    expect(await readAll(stream)).toEqual({ chunks: ['3', '2', '1'], error: undefined });
    expect(await guest.execute({ function: 'down', input: '2' })).toEqual(['2', '1']);
    expect(await guest.execute({ function: 'down', input: '0' })).toEqual([]);
  });

  it('sends no chunks of its own beside what it puts out', async () => {
    const entry = wat(`(module
      (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
      (import "troupe:host/env" "output_chunk" (func $output_chunk (param i64)))
      (func (export "both"))
      (func (export "both_next") (result i32)
        (call $output_chunk (call $alloc (i64.const 1)))
        (i32.const 0)))`);
    const guest = await runGuest(createManager(), entry);
    const { error } = await readAll(guest.stream({ function: 'both' }));
    expect(error).toMatchObject({
      code: 'CALL_FAILED',
      cause: { message: 'both_next is of an iterator, whose output is its chunk: it sends none' },
    });
  });

  it('is told where its reader breaks off', async () => {
    const guest = await runGuest(createManager());
    for await (const chunk of guest.stream({ function: 'down', input: '9' })) {
      expect(chunk).toBe('9');
      break;
    }
    expect(await guest.execute('next')).toBe('next');
    expect(await statsOf(guest)).toMatchObject({ restarts: 0 });
  });

  it('delivers its chunks, then its trap', async () => {
    const guest = await runGuest(createManager());
    const { chunks, error } = await readAll(guest.stream({ function: 'down', input: ':' }));
    expect(chunks).toEqual([]);
    expect(error).toMatchObject({ code: 'CALL_FAILED', cause: { name: 'RuntimeError' } });
    expect(await guest.execute({ function: 'down', input: '1' })).toEqual(['1']);
  });
});

describe.each(['thread', 'process'] as const)('chunks of a call in a %s', (isolation) => {
  it('are a stream, or a list where no stream is read', async () => {
    const guest = await runGuest(createManager(), undefined, { isolation });
    const request = { function: 'chunks', input: '3 times' };
    const stream = guest.stream(request);
    expect(await readAll(stream)).toEqual({ chunks: Array(3).fill('3 times'), error: undefined });
    expect(await guest.execute(request)).toEqual(Array(3).fill('3 times'));
    expect(await guest.execute('plain')).toBe('plain');
  });

  it('come while the guest is inside its call, and stop it while nobody takes them', async () => {
    const guest = await runGuest(createManager(), undefined, { isolation });
    const stream = guest.stream({ function: 'chunks_for_ever', input: 'x' });
    const iterator = stream[Symbol.asyncIterator]();
    for (let taken = 0; taken < 300; taken++) {
      expect(await iterator.next()).toEqual({ value: 'x', done: false });
    }
    await iterator.return?.();
    expect(await guest.execute('free again')).toBe('free again');
    expect(await statsOf(guest)).toMatchObject({ restarts: 0 });
  });

  it('have a limit together where no stream is read', async () => {
    const limits = { payloadBytesMax: 4_096 };
    const guest = await runGuest(createManager(), undefined, { isolation, limits });
    const error = await failureOf(guest.execute({ function: 'chunks_for_ever', input: 'x' }));
    expect(error).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    expect(error.message).toContain('read them with stream()');
    await eventually(async () => expect(await guest.execute('there')).toBe('there'));
  });
});
