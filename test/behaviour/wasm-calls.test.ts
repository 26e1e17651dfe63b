/** WebAssembly guests: what goes in, what comes out, what they are linked with. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { describe, expect, it } from 'vitest';

import { eventually } from '../support/eventually.ts';
import { inline, temporaryFolder } from '../support/files.ts';
import { assemble, entryOf, GUEST, runGuest, wat, statsOf } from '../support/guests.ts';
import { createManager } from '../support/manager.ts';
import { failureOf } from '../support/outcomes.ts';

describe.each(['thread', 'process', 'pool'] as const)('a guest in a %s', (isolation) => {
  const threads = isolation === 'pool' ? { threads: 1 } : {};

  it('is given texts, bytes and JSON, and gives them back', async () => {
    const guest = await runGuest(createManager(), GUEST, { isolation, ...threads });
    expect(await guest.execute('grüße')).toBe('grüße');
    expect(await guest.execute(undefined)).toBe('');
    expect(await guest.execute({ answer: [42] })).toBe('{"answer":[42]}');
    expect(await guest.execute(new Uint8Array([255, 0, 1]))).toEqual(new Uint8Array([255, 0, 1]));
    expect(await guest.execute({ function: 'count' })).toBe('1');
    expect(await guest.execute({ function: 'count', input: 'any' })).toBe('2');
  });

  it('reads its config, keeps variables, and tells the log', async () => {
    const manager = createManager();
    const lines: unknown[] = [];
    manager.on('log', ({ id, level, message }) => lines.push([id, level, message]));
    const config = { name: 'Ada', limits: { max: 3 }, toString: 'own' };
    const guest = await runGuest(manager, GUEST, { isolation, config, ...threads });
    const configured = (name: string) => guest.execute({ function: 'config', input: name });
    expect(await configured('name')).toBe('Ada');
    expect(await configured('limits')).toBe('{"max":3}');
    expect(await configured('toString')).toBe('own');
    expect(await configured('constructor')).toBe('');
    await guest.execute({ function: 'set', input: 'kept' });
    expect(await guest.execute({ function: 'get', input: 'kept' })).toBe('kept');
    await guest.execute({ function: 'unset', input: 'kept' });
    expect(await guest.execute({ function: 'get', input: 'kept' })).toBe('');
    await guest.execute({ function: 'log', input: 'hello from within' });
    await eventually(() => expect(lines).toEqual([['guest', 'info', 'hello from within']]));
  });

  it('calls other plugins and the kernel, and stands still until they answer', async () => {
    const manager = createManager();
    const entry = inline('export default (input) => ({ heard: input ?? null })');
    await manager.register({ id: 'echo', type: 'tool', entry });
    await manager.up();
    const guest = await runGuest(manager, GUEST, { isolation, ...threads });
    const ask = (name: string, input: unknown) => guest.execute({ function: name, input });
    expect(await ask('relay', 'echo')).toBe('{"heard":null}');
    expect(await ask('relay_to_echo', { deep: [1] })).toBe('{"heard":{"deep":[1]}}');
    expect(JSON.parse(String(await ask('relay', 'nobody')))).toMatchObject({ code: 'NOT_FOUND' });

    expect(await ask('read_state', '"key"')).toBe('');
    await ask('write_state', '"key"');
    expect(await manager.context.state.get('"key"')).toBe('key');
    expect(await ask('read_state', '"key"')).toBe('"key"');
    await ask('clear_state', '"key"');
    expect(await manager.context.state.keys()).toEqual([]);

    const events: unknown[] = [];
    manager.context.events.on('*', ({ topic, data, from }) => events.push([topic, data, from]));
    await ask('tell', '"topic"');
    await eventually(() => expect(events).toEqual([['"topic"', 'topic', 'guest']]));

    const before = Date.now();
    const now = Number(await guest.execute({ function: 'time', args: [] }));
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
  });

  it('is a plugin of its own: health, stats, pause and restart', async () => {
    const guest = await runGuest(createManager(), GUEST, { isolation, ...threads });
    await guest.execute({ function: 'set', input: 'a' });
    expect(await guest.health()).toMatchObject({ healthy: true });
    expect((await statsOf(guest)).plugin).toEqual({
      calls: 1,
      traps: 0,
      instances: 1,
      memoryPages: 1,
      blockPages: 1,
      variables: 1,
      variableBytes: 2,
    });
    await guest.pause();
    const waiting = guest.execute('later');
    await guest.resume();
    expect(await waiting).toBe('later');
    await guest.restart();
    expect(await guest.execute({ function: 'get', input: 'a' })).toBe('');
  });
});

describe('a result', () => {
  const bytes = new Uint8Array([123, 125]);
  it.each([
    ['auto', bytes, '{}'],
    ['text', bytes, '{}'],
    ['json', bytes, {}],
    ['json', '', undefined],
    ['bytes', bytes, bytes],
  ] as const)('is %s where the spec says so', async (output, input, result) => {
    const guest = await runGuest(createManager(), GUEST, { wasm: { output } });
    expect(await guest.execute(input)).toEqual(result);
  });

  it.each([
    ['json', 'no JSON', /not JSON/],
    ['text', new Uint8Array([255]), /not UTF-8; set wasm.output/],
  ] as const)('that is no %s is an error of that call', async (output, input, message) => {
    const guest = await runGuest(createManager(), GUEST, { wasm: { output } });
    const error = await failureOf(guest.execute(input));
    expect(error).toMatchObject({ code: 'CALL_FAILED', cause: { name: 'GuestError' } });
    expect(error.message).toMatch(message);
    expect((await statsOf(guest)).plugin).toMatchObject({ traps: 0, instances: 1 });
  });
});

/** A module without any ABI. */
const PLAIN = wat(`(module
  (memory (export "memory") 1)
  (global $next (mut i32) (i32.const 1024))
  (data (i32.const 8) "hello")
  (func (export "alloc") (param i32) (result i32)
    global.get $next
    (global.set $next (i32.add (global.get $next) (local.get 0))))
  (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)
  (func (export "mix") (param i64 f64) (result i64)
    local.get 0 local.get 1 i64.trunc_f64_s i64.add)
  (func (export "nothing"))
  (func (export "pair") (param i32) (result i32 i32) local.get 0 local.get 0)
  (func (export "same") (param i32 i32) (result i32 i32) local.get 0 local.get 1)
  (func (export "packed") (param i32 i32) (result i64)
    (i64.or
      (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32))
      (i64.extend_i32_u (local.get 1)))))`);

describe('a module without the ABI', () => {
  it('is called with numbers and bigints', async () => {
    const guest = await runGuest(createManager(), PLAIN);
    const apply = (name: string, ...args: unknown[]) => guest.execute({ function: name, args });
    expect(await apply('add', 2, 3)).toBe(5);
    expect(await apply('mix', 2n ** 40n, 2.9)).toBe(2n ** 40n + 2n);
    expect(await apply('nothing')).toBeUndefined();
    expect(await apply('pair', 7)).toEqual([7, 7]);
  });

  it('keeps no blocks of a call with arguments', async () => {
    const entry = wat(`(module
      (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
      (func (export "take") (param i64) (result i64) (call $alloc (local.get 0))))`);
    const guest = await runGuest(createManager(), entry, { wasm: { memoryPagesMax: 4 } });
    for (let i = 0; i < 10; i++) {
      expect(await guest.execute({ function: 'take', args: [100_000n] })).toBeGreaterThan(0n);
    }
  });

  it('keeps nothing that a call with arguments has printed', async () => {
    const entry = wat(`(module
      (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 0) "\\10\\00\\00\\00\\ff\\00\\00\\00")
      (func (export "print") (param i32) (result i32)
        (call $write (local.get 0) (i32.const 0) (i32.const 1) (i32.const 8))))`);
    const guest = await runGuest(createManager(), entry, {
      wasm: { wasi: true },
      limits: { payloadBytesMax: 1_024 },
    });
    for (let i = 0; i < 10; i++) {
      expect(await guest.execute({ function: 'print', args: [1] })).toBe(0);
    }
  });

  it('is given texts by pointer and length, and gives them so', async () => {
    const guest = await runGuest(createManager(), PLAIN);
    const request = { function: 'same', args: ['grüße'], returns: 'text' };
    expect(await guest.execute(request)).toBe('grüße');
    expect(await guest.execute({ ...request, function: 'packed' })).toBe('grüße');
    expect(await guest.execute({ ...request, returns: 'bytes' })).toEqual(
      new TextEncoder().encode('grüße'),
    );
    expect(await guest.execute({ read: { pointer: 8, length: 5 } })).toBe('hello');
    expect(await guest.execute({ write: { pointer: 9, data: 'u' } })).toBe(1);
    expect(await guest.execute({ read: { pointer: 8, length: 5, as: 'bytes' } })).toEqual(
      new TextEncoder().encode('hullo'),
    );
  });
});

describe('several modules', () => {
  const double = wat(`(module (func (export "double") (param i32) (result i32)
    local.get 0 i32.const 2 i32.mul))`);
  const main = wat(`(module
    (import "arithmetic" "double" (func $double (param i32) (result i32)))
    (func (export "quadruple") (param i32) (result i32) (call $double (call $double (local.get 0)))))`);

  it('are linked by name', async () => {
    const guest = await runGuest(createManager(), main, {
      wasm: { modules: { arithmetic: double } },
    });
    expect(await guest.execute({ function: 'quadruple', args: [3] })).toBe(12);
  });

  it('may import functions in a circle', async () => {
    const even = wat(`(module (import "other" "odd" (func $odd (param i32) (result i32)))
      (func (export "even") (param i32) (result i32)
        (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 1))
          (else (call $odd (i32.sub (local.get 0) (i32.const 1)))))))`);
    const odd = wat(`(module (import "main" "even" (func $even (param i32) (result i32)))
      (func (export "odd") (param i32) (result i32)
        (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0))
          (else (call $even (i32.sub (local.get 0) (i32.const 1)))))))`);
    const guest = await runGuest(createManager(), even, { wasm: { modules: { other: odd } } });
    expect(await guest.execute({ function: 'even', args: [10] })).toBe(1);
    expect(await guest.execute({ function: 'even', args: [7] })).toBe(0);
  });

  it('share a memory that one of them exports, and its limit', async () => {
    const keeper = wat(`(module (memory (export "shared") 1)
      (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))`);
    const user = wat(`(module (import "keeper" "shared" (memory 1))
      (import "keeper" "grow" (func $grow (param i32) (result i32)))
      (func (export "grow") (param i32) (result i32) (drop (call $grow (local.get 0))) (memory.size)))`);
    const wasm = { memoryPagesMax: 4, modules: { keeper } };
    const guest = await runGuest(createManager(), user, { wasm });
    expect(await guest.execute({ function: 'grow', args: [3] })).toBe(4);
    expect(await guest.execute({ function: 'grow', args: [1] })).toBe(4);
  });
});

const functions = (body: string): string =>
  `data:text/javascript,${encodeURIComponent(
    `export default (host) => ({ 'extism:host/user': { shout: ${body} } });`,
  )}`;

describe('host functions of the spec’s own', () => {
  const main = wat(`(module
    (import "extism:host/env" "input_offset" (func $input (result i64)))
    (import "extism:host/env" "length" (func $length (param i64) (result i64)))
    (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
    (import "extism:host/user" "shout" (func $shout (param i64) (result i64)))
    (func (export "execute") (result i32) (local $at i64)
      (local.set $at (call $shout (call $input)))
      (call $output_set (local.get $at) (call $length (local.get $at)))
      (i32.const 0)))`);
  it('read and make blocks, and know the plugin', async () => {
    const hostFunctions = functions(
      '(at) => host.memory.add(`${host.memory.text(at).toUpperCase()} ${host.context.id}`)',
    );
    const guest = await runGuest(createManager(), main, { wasm: { hostFunctions } });
    expect(await guest.execute('loud')).toBe('LOUD guest');
  });

  it.each([
    ['throw', '() => { throw new RangeError("not today"); }', 'not today'],
    ['return a promise', 'async () => 1n', 'returned a promise, and a guest cannot await'],
    ['are given no block', '() => host.memory.add(host.memory.text(3n))', 'no block'],
  ])('fail the call alone where they %s', async (_, body, message) => {
    const hostFunctions = functions(body);
    const guest = await runGuest(createManager(), main, { wasm: { hostFunctions } });
    const error = await failureOf(guest.execute('x'));
    expect(error.code).toBe('CALL_FAILED');
    expect(error.message).toContain(message);
    expect(await statsOf(guest)).toMatchObject({ restarts: 0, plugin: { traps: 1 } });
  });
});

describe('a compiled module', () => {
  it('is the same for every plugin, and the hash is checked on the bytes that run', async () => {
    const manager = createManager();
    const bytes = assemble('(module (func (export "one") (result i32) i32.const 1))');
    const { createHash } = await import('node:crypto');
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const guest = await runGuest(manager, { path: entryOf(bytes), sha256 });
    expect(await guest.execute({ function: 'one', args: [] })).toBe(1);
    const other = await runGuest(manager, entryOf(bytes), { id: 'other' });
    expect(await other.execute({ function: 'one', args: [] })).toBe(1);
  });
});

/** A guest of this version, with a variable. */
const answering = (digit: number): Uint8Array =>
  assemble(`(module
    (import "extism:host/env" "input_offset" (func $input (result i64)))
    (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
    (import "extism:host/env" "length" (func $length (param i64) (result i64)))
    (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
    (import "extism:host/env" "var_get" (func $var_get (param i64) (result i64)))
    (import "extism:host/env" "var_set" (func $var_set (param i64 i64)))
    (func (export "version") (result i32) (i32.const ${String(digit)}))
    (func (export "set") (result i32) (call $var_set (call $input) (call $input)) (i32.const 0))
    (func (export "get") (result i32) (local $at i64)
      (local.set $at (call $var_get (call $input)))
      (call $output_set (local.get $at) (call $length (local.get $at)))
      (i32.const 0)))`);

describe('a reload', () => {
  it('brings the new module, with the variables of the old one; what is none is refused', async () => {
    const file = path.join(await temporaryFolder(), 'guest.wasm');
    await writeFile(file, answering(1));
    const guest = await runGuest(createManager(), file, { host: undefined });
    const version = () => guest.execute({ function: 'version', args: [] });
    await guest.execute({ function: 'set', input: 'kept' });
    expect(await version()).toBe(1);
    await writeFile(file, answering(2));
    expect(await guest.reload()).toMatchObject({ ok: true, statePreserved: true });
    expect(await version()).toBe(2);
    expect(await guest.execute({ function: 'get', input: 'kept' })).toBe('kept');
    await writeFile(file, answering(3).subarray(0, 40));
    expect(await guest.reload()).toMatchObject({ ok: false });
    expect(await version()).toBe(2);
  });
});
