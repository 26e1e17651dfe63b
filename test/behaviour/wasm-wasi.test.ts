/** WebAssembly guests with WASI: programs, standard streams, sleeping, folders. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { describe, expect, it } from 'vitest';

import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/files.ts';
import { runGuest, wat, statsOf } from '../support/guests.ts';
import { createManager } from '../support/manager.ts';
import { failureOf } from '../support/outcomes.ts';

describe('WASI', () => {
  const imports = `
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))`;
  /** Copies its input to its output, tells the log, closes what is not its own, and exits with 0. */
  const program = wat(`(module ${imports}
    (memory (export "memory") 1)
    (data (i32.const 100) "told\\n")
    (func (export "_start")
      (i32.store (i32.const 0) (i32.const 200))
      (i32.store (i32.const 4) (i32.const 64))
      (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
      (i32.store (i32.const 4) (i32.load (i32.const 8)))
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (i32.store (i32.const 0) (i32.const 100))
      (i32.store (i32.const 4) (i32.const 5))
      (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
      (drop (call $close (i32.const 1)))
      (drop (call $close (i32.const 2)))
      (call $exit (i32.const 0))
      unreachable))`);

  it('makes a program a plugin: its input is read, its output is the result, each call runs it anew', async () => {
    const manager = createManager();
    const lines: unknown[] = [];
    manager.on('log', ({ level, message }) => lines.push([level, message]));
    const guest = await runGuest(manager, program, { wasm: { wasi: true } });
    expect(await guest.execute('first')).toBe('first');
    expect(await guest.execute('second')).toBe('second');
    expect((await statsOf(guest)).plugin).toMatchObject({ instances: 2, traps: 0 });
    await eventually(() =>
      expect(lines).toEqual([
        ['warn', 'told'],
        ['warn', 'told'],
      ]),
    );
  });

  it('tells the log what a call has printed, whole characters and the last line too, however it ended', async () => {
    // "grü" and the second byte of the ü apart, and no end of a line
    const entry = wat(`(module ${imports}
      (import "extism:host/env" "input_length" (func (result i64)))
      (memory (export "memory") 1)
      (data (i32.const 0) "\\10\\00\\00\\00\\03\\00\\00\\00")
      (data (i32.const 8) "\\13\\00\\00\\00\\01\\00\\00\\00")
      (data (i32.const 16) "gr\\c3\\bc")
      (func $print
        (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 64)))
        (drop (call $write (i32.const 2) (i32.const 8) (i32.const 1) (i32.const 64))))
      (func (export "traps") (call $print) unreachable)
      (func (export "takes") (param i32) (call $print))
      (func (export "each") (call $print))
      (func (export "each_next") (result i32) (call $print) (i32.const 1)))`);
    const manager = createManager();
    const lines: unknown[] = [];
    manager.on('log', ({ level, message }) => lines.push([level, message]));
    const guest = await runGuest(manager, entry, { wasm: { wasi: true } });
    await failureOf(guest.execute({ function: 'traps' }));
    await guest.execute({ function: 'takes', args: [1] });
    await guest.execute({ function: 'each' });
    await eventually(() => expect(lines).toEqual(Array.from({ length: 4 }, () => ['warn', 'grü'])));
  });

  it('exits with a status that is the call’s failure', async () => {
    const entry = wat(`(module ${imports} (memory (export "memory") 1)
      (func (export "_start") (call $exit (i32.const 3))))`);
    const guest = await runGuest(createManager(), entry, { wasm: { wasi: true } });
    const error = await failureOf(guest.execute(undefined));
    expect(error.message).toBe('guest failed: _start returned the status 3');
  });

  it.each([
    ['fd_read', 0],
    ['fd_write', 1],
    ['fd_write', 2],
    ['poll_oneoff', 0],
  ])('refuses a list that is too long: %s of %i', async (name, first) => {
    const entry = wat(`(module
      (import "wasi_snapshot_preview1" "${name}" (func $listed (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 2)
      (func (export "of") (param i32) (result i32)
        (call $listed (i32.const ${String(first)}) (i32.const 0) (local.get 0) (i32.const 0))))`);
    const guest = await runGuest(createManager(), entry, { wasm: { wasi: true } });
    const of = (count: number) => guest.execute({ function: 'of', args: [count] });
    // EINVAL
    expect(await of(1_025)).toBe(28);
    expect(await of(-1)).toBe(28);
    expect(await of(0)).toBe(name === 'poll_oneoff' ? 28 : 0);
  });

  it('sleeps where a deadline ends it', async () => {
    const entry = wat(`(module
      (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "execute") (param) (result i32)
        (i64.store (i32.const 24) (i64.const 3600000000000))
        (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128))))`);
    const guest = await runGuest(createManager(), entry, { wasm: { wasi: true } });
    const error = await failureOf(guest.execute(undefined, { timeoutMs: 50 }));
    expect(error.code).toBe('CALL_TIMEOUT');
    await eventually(async () => expect((await statsOf(guest)).plugin).toMatchObject({ traps: 1 }));
    expect(await statsOf(guest)).toMatchObject({ restarts: 0 });
  });
});

describe.each(['thread', 'process'] as const)('a folder in a %s', (isolation) => {
  const writer = wat(`(module
    (import "wasi_snapshot_preview1" "path_open" (func $open
      (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 100) "out.txt")
    (data (i32.const 200) "written")
    (func (export "execute") (result i32) (local $failed i32)
      (local.set $failed (call $open (i32.const 3) (i32.const 0) (i32.const 100) (i32.const 7)
        (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 8)))
      (if (local.get $failed) (then (return (local.get $failed))))
      (i32.store (i32.const 0) (i32.const 200))
      (i32.store (i32.const 4) (i32.const 7))
      (call $write (i32.load (i32.const 8)) (i32.const 0) (i32.const 1) (i32.const 12))))`);

  it('is opened where the spec permits it, and no other is', async () => {
    const folder = await temporaryFolder();
    const permissions = { fs: { read: [folder], write: [folder] } };
    const options = { isolation, wasm: { wasi: true } };
    const manager = createManager();
    const guest = await runGuest(manager, writer, { ...options, permissions });
    expect(await guest.execute(undefined)).toBe('');
    expect(await readFile(path.join(folder, 'out.txt'), 'utf8')).toBe('written');
    const other = await runGuest(manager, writer, { ...options, id: 'other' });
    expect((await failureOf(other.execute(undefined))).message).toMatch(/returned the status/);
  });
});
