/** What is wrong with a WebAssembly guest, or what it does wrong: a named error, and no neighbour notices. */
import type { PluginManager } from 'troupe';
import { describe, expect, it } from 'vitest';

import { eventually } from '../support/eventually.ts';
import { assemble, entryOf, GUEST, guestSpec, runGuest, wat, statsOf } from '../support/guests.ts';
import { createManager, EAGER_RESTART, type SpecOptions } from '../support/manager.ts';
import { startNeighbour } from '../support/neighbour.ts';
import { failureOf } from '../support/outcomes.ts';

const SOUND = assemble('(module (func (export "execute") (result i32) i32.const 0))');

/** The same with an instruction that there is not: instead of the constant. */
const SPOILT = SOUND.map((byte, at) => (at === SOUND.lastIndexOf(0x41) ? 0xff : byte));

/** Why a guest cannot be loaded, while a neighbour is called all the time. */
async function refusalOf(
  entry: ReturnType<typeof wat>,
  options: SpecOptions = {},
): Promise<string> {
  const manager = createManager();
  const neighbour = await startNeighbour(manager);
  const { id } = await manager.register(guestSpec(entry, options));
  const error = await failureOf(manager.load(id));
  expect(error).toMatchObject({ code: 'LOAD_FAILED', pluginId: 'guest' });
  expect(manager.state(id)).toBe('failed');
  await neighbour.isUnharmed();
  return error.message;
}

describe('a module is not loaded', () => {
  it.each([
    ['that is none', new TextEncoder().encode('export default 1'), /does not begin as WebAssembly/],
    ['that is text', new TextEncoder().encode('(module)'), /is WebAssembly text.*wat2wasm/],
    ['that is empty', new Uint8Array(), /does not begin/],
    ['that is a component', Uint8Array.of(0, 97, 115, 109, 13, 0, 1, 0), /is a component.*wasip1/],
    ['of another version', Uint8Array.of(0, 97, 115, 109, 2, 0, 0, 0), /version 2/],
    ['that is cut off', SOUND.subarray(0, SOUND.byteLength - 4), /cut off/],
    ['that is cut off at its head', SOUND.subarray(0, 6), /cut off/],
    ['with code that is none', SPOILT, /no WebAssembly module that can run/],
  ])('%s', async (_, bytes, message) => {
    expect(await refusalOf(entryOf(bytes))).toMatch(message);
  });

  it('that is not the one of its hash, as entry or as a linked one', async () => {
    const sha256 = '0'.repeat(64);
    const entry = entryOf(SOUND);
    expect(await refusalOf(entry, { entry: { path: entry, sha256 } })).toContain('sha256');
    const modules = { other: { path: entry, sha256 } };
    expect(await refusalOf(entry, { wasm: { modules } })).toContain(
      'its module other is not the one',
    );
  });

  it.each(['data:application/wasm,AGFzbQ==', 'data:application/wasm;base64,%E0%A4'])(
    'that is not in base64: %s',
    async (url) => {
      expect(await refusalOf(new URL(url))).toMatch(
        /^guest could not be loaded: its entry .*is not in base64$/,
      );
    },
  );

  it('that is not there', async () => {
    expect(await refusalOf(new URL('file:///nowhere/guest.wasm'))).toMatch(
      /guest\.wasm cannot be read/,
    );
  });

  it.each([
    [
      'unknown',
      '(import "env" "mystery" (func))',
      /main imports env\.mystery, which nothing gives it/,
    ],
    [
      'of a function that the ABI has not',
      '(import "extism:host/env" "rm" (func))',
      /extism:host\/env\.rm.*has no such function/,
    ],
    [
      'of WASI, where the spec does not give it',
      '(import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))',
      /wasm\.wasi to true/,
    ],
    [
      'of another type',
      '(import "extism:host/env" "alloc" (func (param i32) (result i32)))',
      /alloc.*does not match/,
    ],
    ['with an inherited name', '(import "env" "toString" (func))', /env\.toString, which nothing/],
  ])('with an import %s', async (_, text, message) => {
    expect(await refusalOf(wat(`(module ${text})`))).toMatch(message);
  });

  it('whose module lacks what it imports from it, or imports a memory in a circle', async () => {
    const other = wat('(module (import "main" "m" (memory 1)) (func (export "f")))');
    const lacking = wat('(module (import "other" "g" (func)))');
    const modules = { other: entryOf(SOUND) };
    expect(await refusalOf(lacking, { wasm: { modules } })).toContain('main imports other.g');
    const circle = wat('(module (import "other" "f" (func)) (memory (export "m") 1))');
    expect(await refusalOf(circle, { wasm: { modules: { other } } })).toMatch(
      /imports the memory m in a circle: main → other → main/,
    );
  });

  it('without the function that the spec names', async () => {
    const entry = entryOf(SOUND);
    expect(await refusalOf(entry, { wasm: { function: 'run' } })).toMatch(
      /exports no function run; there are: execute/,
    );
  });

  it('that wants more memory than it may have, or several', async () => {
    const large = wat('(module (memory 5))');
    expect(await refusalOf(large, { wasm: { memoryPagesMax: 4 } })).toMatch(
      /begins with 5 pages, more than wasm.memoryPagesMax \(4\)/,
    );
  });

  it('whose start function traps, or does not end', async () => {
    const traps = wat('(module (func $main unreachable) (start $main))');
    expect(await refusalOf(traps)).toContain('unreachable');
    const manager = createManager();
    const neighbour = await startNeighbour(manager);
    const loops = wat('(module (func $main (loop (br 0))) (start $main))');
    const spec = guestSpec(loops, { limits: { startTimeoutMs: 300 } });
    const { id } = await manager.register(spec);
    expect(await failureOf(manager.load(id))).toMatchObject({ code: 'START_TIMEOUT' });
    await neighbour.isUnharmed();
  });
});

/** What becomes of a call, and of the plugin after it. */
async function failing(
  input: unknown,
  options: SpecOptions & { timeoutMs?: number } = {},
): Promise<{ error: Awaited<ReturnType<typeof failureOf>>; manager: PluginManager }> {
  const manager = createManager();
  const neighbour = await startNeighbour(manager);
  const { timeoutMs, ...spec } = options;
  const guest = await runGuest(manager, GUEST, { restart: EAGER_RESTART, ...spec });
  await guest.execute({ function: 'set', input: 'kept' });
  const error = await failureOf(guest.execute(input, { timeoutMs }));
  expect(error.pluginId).toBe('guest');
  expect(await guest.execute('served after it')).toBe('served after it');
  await neighbour.isUnharmed();
  return { error, manager };
}

describe('a call fails alone', () => {
  it.each([
    ['a trap', 'trap', 'RuntimeError', /unreachable/],
    ['a load beyond its memory', 'beyond', 'RuntimeError', /out of bounds/],
    ['a recursion without end', 'recurse', 'RangeError', /call stack/],
    [
      'a block that is nowhere, written',
      'store_nowhere',
      'GuestError',
      /writes at address 5, where no block is/,
    ],
    [
      'a block that is nowhere, read',
      'load_nowhere',
      'GuestError',
      /reads at address 9223372036854775807/,
    ],
    [
      'an output that is nowhere',
      'output_nowhere',
      'GuestError',
      /sets as its output what is at address 65536/,
    ],
    ['an input that is longer than it is', 'input_beyond', 'GuestError', /reads its input at/],
    ['a text that is nowhere', 'log_nowhere', 'GuestError', /passes address 77, which is no block/],
    [
      'more output than its memory may hold',
      'flood_1024',
      'GuestError',
      /block of 1073741824 bytes, which does not fit into wasm\.memoryPagesMax/,
    ],
  ])('of %s, and the next has fresh memory', async (_, name, cause, message) => {
    const { error, manager } = await failing({ function: name });
    expect(error).toMatchObject({ code: 'CALL_FAILED', cause: { name: cause } });
    expect(error.message).toMatch(message);
    // variables lie outside of what is in doubt
    const call = { function: 'get', input: 'kept' };
    expect(await manager.execute('guest', call)).toBe('kept');
    const { restarts, plugin } = (await manager.stats('guest')) ?? {};
    expect({ restarts, plugin }).toMatchObject({ restarts: 0, plugin: { traps: 1, instances: 2 } });
  });

  it('with the stack of the guest, by the names it has', async () => {
    const { error } = await failing({ function: 'trap' });
    const { stack } = error.cause as Error;
    expect(stack).toMatch(/^RuntimeError: unreachable\n\s+at inner \(wasm:.*\n\s+at outer \(wasm:/);
    expect(stack).not.toContain('file:');
  });

  it.each([
    [
      'says so itself',
      { function: 'fail', input: 'my own reason' },
      'GuestFailure',
      'my own reason',
    ],
    ['returns a status', { function: 'status' }, 'GuestFailure', 'status returned the status 7'],
    [
      'lacks the function',
      { function: 'nobody' },
      'GuestError',
      'it exports no function nobody; there are: execute',
    ],
    [
      'is called with arguments that it does not take',
      { function: 'trap', args: [1] },
      'GuestError',
      'trap takes 0 arguments, and was given 1',
    ],
    [
      'is called without one that it takes',
      { function: 'time', args: [1n, 2] },
      'GuestError',
      'takes 0 arguments',
    ],
    [
      'is given something else than arguments',
      { function: 'trap', args: 5 },
      'GuestError',
      '"args" must be a list',
    ],
    [
      'is asked for bytes beyond its memory',
      { read: { pointer: 65_000, length: 1_000 } },
      'GuestError',
      'not all inside its memory of 65536 bytes',
    ],
    [
      'is asked for no bytes at all',
      { read: { pointer: -1, length: 1 } },
      'GuestError',
      '"read" must be',
    ],
  ])('of a guest that %s, and its memory stays', async (_, input, cause, message) => {
    const { error, manager } = await failing(input);
    expect(error).toMatchObject({ code: 'CALL_FAILED', cause: { name: cause } });
    expect(error.message).toContain(message);
    expect((await manager.stats('guest'))?.plugin).toMatchObject({ traps: 0, instances: 1 });
  });

  it('of a result that is over the limit', async () => {
    const { error } = await failing({ function: 'flood_48' });
    expect(error).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  });

  it('of variables that hold too much', async () => {
    const { error, manager } = await failing(
      { function: 'set', input: 'x'.repeat(600) },
      { wasm: { variableBytesMax: 1_000 } },
    );
    expect(error.message).toMatch(
      /variables would hold 1208 bytes, more than wasm.variableBytesMax/,
    );
    expect((await manager.stats('guest'))?.plugin).toMatchObject({
      variables: 1,
      variableBytes: 8,
    });
  });
});

describe('the type of an argument is checked', () => {
  const entry = wat(`(module (func (export "mix") (param i32 i64 f64)))`);
  it.each([
    ['too few', [1], 'mix takes 3 arguments (i32, i64, f64), and was given 1'],
    ['a number for an i64', [1, 2, 3], 'argument 2 of mix must be a bigint of 64 bits (i64)'],
    ['a bigint for an f64', [1, 2n, 3n], 'argument 3 of mix must be a number (f64)'],
    [
      'a text where there is no room',
      ['a', 2n],
      'argument 2 of mix must be a bigint of 64 bits (i64)',
    ],
  ])('%s', async (_, args, message) => {
    const guest = await runGuest(createManager(), entry);
    const error = await failureOf(guest.execute({ function: 'mix', args }));
    expect(error.message).toBe(`guest failed: ${message}`);
  });
});

describe('a guest that does not end is ended at its deadline', () => {
  it.each([
    ['a loop', 'spin'],
    ['a loop that grows its memory', 'grow_for_ever'],
  ])('%s, with its thread', async (_, name) => {
    const { error, manager } = await failing({ function: name }, { timeoutMs: 100 });
    expect(error).toMatchObject({ code: 'CALL_TIMEOUT', data: { phase: 'running' } });
    await eventually(async () => expect((await manager.stats('guest'))?.restarts).toBe(1));
  });

  it.each([
    ['checkpoints', 'look_up'],
    ['log lines', 'log_for_ever'],
    ['chunks', 'chunks_for_ever'],
  ])('a loop of %s, within the grace and without its thread', async (_, name) => {
    const { error, manager } = await failing(
      { function: name, input: 'x' },
      { timeoutMs: 100, limits: { payloadBytesMax: 2 ** 30 } },
    );
    expect(error).toMatchObject({ code: 'CALL_TIMEOUT', data: { phase: 'running' } });
    expect(await manager.stats('guest')).toMatchObject({ restarts: 0, plugin: { traps: 1 } });
  });
});

describe('the memory of a guest', () => {
  it('ends at its limit, though the module defines it without one', async () => {
    const manager = createManager();
    const guest = await runGuest(manager, GUEST, { wasm: { memoryPagesMax: 100 } });
    await guest.execute({ function: 'grow' });
    expect((await statsOf(guest)).plugin).toMatchObject({ memoryPages: 97 });
  });

  it('leaves room for the rest of what limits.memoryMb allows, if the spec says no more', async () => {
    const guest = await runGuest(createManager(), GUEST, { limits: { memoryMb: 96 } });
    await guest.execute({ function: 'alloc_for_ever' });
    await guest.execute({ function: 'grow' });
    const { plugin, restarts } = await statsOf(guest);
    expect({ restarts, plugin }).toMatchObject({ restarts: 0, plugin: { memoryPages: 497 } });
    expect(Number(plugin['blockPages'])).toBeLessThanOrEqual(512);
  });

  it('is given back block by block', async () => {
    const guest = await runGuest(createManager(), GUEST);
    await guest.execute({ function: 'alloc_and_free' });
    await guest.execute({ function: 'free_nowhere' });
    const { plugin } = await statsOf(guest);
    expect(Number(plugin['blockPages'])).toBeLessThan(20);
  });

  it('is its host’s where it imports one, with the same limit', async () => {
    const entry = wat(`(module (import "env" "memory" (memory 1))
      (func (export "grow") (result i32) (drop (memory.grow (i32.const 3))) (memory.grow (i32.const 1))))`);
    const guest = await runGuest(createManager(), entry, { wasm: { memoryPagesMax: 4 } });
    expect(await guest.execute({ function: 'grow', args: [] })).toBe(-1);
  });
});
