/** Guests that others wrote the tools for, or compiled: AssemblyScript's kit, and a C program of a package. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { describe, expect, it } from 'vitest';

import { buildGuests } from '../../examples/wasm/build.mjs';
import { eventually } from '../support/eventually.ts';
import { inline, temporaryFolder } from '../support/files.ts';
import { runGuest, statsOf } from '../support/guests.ts';
import { createManager } from '../support/manager.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

describe('the guests of examples/wasm', () => {
  it('build from their sources, and run as their program says', async () => {
    const folder = await temporaryFolder();
    await buildGuests(folder);
    const program = path.join(ROOT, 'examples/wasm/main.ts');
    const args = ['--import', import.meta.resolve('tsx'), program, folder];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
    expect(stdout).toBe(
      [
        '{ count: 7, total: 7 }',
        '{ count: 6, total: 13 }',
        'event of vowels told',
        '"FROM ONE PLUGIN TO ANOTHER"',
        '{',
        '  calls: 3,',
        '  traps: 0,',
        '  instances: 1,',
        '  memoryPages: 1,',
        '  blockPages: 1,',
        '  variables: 1,',
        '  variableBytes: 7',
        '}',
        '',
      ].join('\n'),
    );
  }, 180_000);
});

describe('QuickJS, compiled from C for WASI', () => {
  const functions = [
    'host_get_timezone_offset',
    'host_interrupt',
    'host_promise_rejection',
    'host_module_normalize',
    'host_module_load',
    'host_call',
  ].map((name) => `${name}: () => 0`);
  const hostFunctions = inline(`export default { env: { ${functions.join(', ')} } }`);

  it('runs as a guest, with host functions of the spec’s own', async () => {
    const guest = await runGuest<number>(
      createManager(),
      new URL('quickjs.wasm', import.meta.resolve('quickjs-wasi/package.json')),
      { wasm: { wasi: true, hostFunctions } },
    );
    const apply = (name: string, ...args: unknown[]) => guest.execute({ function: name, args });
    const text = async (value: string): Promise<number> => {
      const pointer = await apply('malloc', value.length + 1);
      await guest.execute({ write: { pointer, data: `${value}\0` } });
      return pointer;
    };
    const code = '[1, 2, 3].map((n) => n * n).reduce((a, b) => a + b) * 3';
    const pointer = await text(code);
    expect(await apply('strlen', pointer)).toBe(code.length);
    const context = await apply('JS_NewContext', await apply('JS_NewRuntime'));
    const value = await apply('JS_Eval', context, pointer, code.length, await text('code.js'), 0);
    // an integer is its own lower half
    expect(Number(BigInt.asIntN(32, BigInt(value)))).toBe(42);
    await eventually(async () =>
      expect((await statsOf(guest)).plugin).toMatchObject({ traps: 0, instances: 1 }),
    );
  });
});
