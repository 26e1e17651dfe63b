/** What a guest, or who calls it, may do that is too much, too many or no number: a named error each. */
import { describe, expect, it } from 'vitest';

import { inline } from '../support/files.ts';
import { runGuest, statsOf, wat } from '../support/guests.ts';
import { createManager } from '../support/manager.ts';
import { failureOf } from '../support/outcomes.ts';

const WRITE =
  '(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))';

describe('output without an end', () => {
  const limits = { payloadBytesMax: 4_096 };

  it('of empty chunks is too large once there are very many', async () => {
    const entry = wat(`(module
      (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
      (import "troupe:host/env" "output_chunk" (func $chunk (param i64)))
      (func (export "execute") (result i32)
        (loop $again (call $chunk (call $alloc (i64.const 0))) (br $again))
        unreachable))`);
    const guest = await runGuest(createManager(), entry, { limits });
    const error = await failureOf(guest.execute(''));
    expect(error).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  });

  it('byte by byte is too large where the bytes come to more', async () => {
    const entry = wat(`(module ${WRITE}
      (memory (export "memory") 1)
      (data (i32.const 0) "\\10\\00\\00\\00\\01\\00\\00\\00")
      (func (export "_start")
        (loop $again
          (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
          (br $again))))`);
    const guest = await runGuest(createManager(), entry, { limits, wasm: { wasi: true } });
    const error = await failureOf(guest.execute(''));
    expect(error).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      data: { limit: 'payloadBytesMax', max: 4_096 },
    });
  });
});

describe('tables', () => {
  it('of more elements than there may be are refused, and nobody notices', async () => {
    const manager = createManager();
    const tables = '(table 10000000 funcref)'.repeat(4);
    const error = await failureOf(runGuest(manager, wat(`(module ${tables})`)));
    expect(error).toMatchObject({ code: 'LOAD_FAILED' });
    expect(error.message).toContain('its tables begin with 40000000 elements');
  });

  it('grow to their limit and no further', async () => {
    const tables = [0, 1, 2, 3].map((at) => `(table $t${String(at)} 0 externref)`).join(' ');
    const grow = [0, 1, 2, 3].map(
      (at) =>
        `(local.set 0 (table.grow $t${String(at)} (ref.null extern) (i32.const 250000)))
         (local.set 0 (table.grow $t${String(at)} (ref.null extern) (i32.const 1)))`,
    );
    const entry = wat(`(module ${tables}
      (func (export "fill") (result i32) (local i32) ${grow.join(' ')} (local.get 0)))`);
    const guest = await runGuest(createManager(), entry);
    expect(await guest.execute({ function: 'fill', args: [] })).toBe(-1);
  });
});

it('pointers above 2 GiB are no negative numbers', async () => {
  const entry = wat(`(module ${WRITE}
    (memory (export "memory") 36866)
    (data (i32.const 0x90000020) "high")
    (func (export "_start")
      (i32.store (i32.const 0x90000000) (i32.const 0x90000020))
      (i32.store (i32.const 0x90000004) (i32.const 4))
      (drop (call $write
        (i32.const 1) (i32.const 0x90000000) (i32.const 1) (i32.const 0x90000010)))))`);
  const wasm = { wasi: true, memoryPagesMax: 50_000 };
  const guest = await runGuest(createManager(), entry, { wasm });
  expect(await guest.execute('')).toBe('high');
});

describe('arguments', () => {
  const entry = wat(`(module
    (memory (export "memory") 1)
    (data (i32.const 0) "\\ff\\fe")
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "more") (param i64) (result i64) (i64.add (local.get 0) (i64.const 1)))
    (func (export "half") (param f64) (result f64) (f64.div (local.get 0) (f64.const 2)))
    (func (export "bytes") (result i32 i32) (i32.const 0) (i32.const 2)))`);

  it('are whole numbers of their size', async () => {
    const guest = await runGuest(createManager(), entry);
    const apply = (name: string, ...args: unknown[]) => guest.execute({ function: name, args });
    expect(await apply('add', 2 ** 32 - 1, -(2 ** 31))).toBe(2 ** 31 - 1);
    expect(await apply('more', 2n ** 64n - 1n)).toBe(0n);
    expect(await apply('half', Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
    for (const [name, ...args] of [
      ['add', 1.9, 2],
      ['add', 2 ** 40, 1],
      ['add', 1, Number.NaN],
      ['add', 1, -(2 ** 31) - 1],
      ['more', 2n ** 64n],
      ['more', -(2n ** 63n) - 1n],
      ['half', 1n],
    ] as const) {
      const error = await failureOf(apply(name, ...args));
      expect(error.message).toMatch(/argument [12] of \w+ must be /);
    }
    expect((await statsOf(guest)).plugin).toMatchObject({ traps: 0, instances: 1 });
  });

  it('that are texts need room for them, and results that are texts must be some', async () => {
    const guest = await runGuest(createManager(), entry);
    const noRoom = await failureOf(guest.execute({ function: 'add', args: ['text'] }));
    expect(noRoom.message).toContain('a text for add needs an exported memory');
    for (const request of [
      { function: 'bytes', args: [], returns: 'text' },
      { read: { pointer: 0, length: 2, as: 'text' } },
    ]) {
      const error = await failureOf(guest.execute(request));
      expect(error.message).toContain("is not UTF-8; ask for it as 'bytes'");
    }
    expect((await statsOf(guest)).plugin).toMatchObject({ traps: 0, instances: 1 });
  });
});

it('an exception of the guest that nothing catches says so', async () => {
  const entry = wat(
    '(module (tag $oops (param i32)) (func (export "execute") (throw $oops (i32.const 7))))',
  );
  const guest = await runGuest(createManager(), entry);
  const error = await failureOf(guest.execute(''));
  expect(error).toMatchObject({ code: 'CALL_FAILED', cause: { name: 'GuestError' } });
  expect(error.message).toContain('it threw an exception of its own language');
  expect((await statsOf(guest)).plugin).toMatchObject({ traps: 1 });
});

it.each(['extism:host/env', 'troupe:host/env', 'wasi_snapshot_preview1'])(
  'host functions take no place of those of %s',
  async (name) => {
    const functions = inline(`export default { ${JSON.stringify(name)}: { own: () => 1 } }`);
    const error = await failureOf(
      runGuest(createManager(), undefined, { wasm: { hostFunctions: functions } }),
    );
    expect(error.message).toContain(`${name}, a name that is reserved`);
  },
);
