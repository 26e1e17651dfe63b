import { describe, expect, it } from 'vitest';

import { Variables } from '../../src/hosts/wasm/variables.ts';
import { planOf } from '../../src/kernel/plan.ts';
import { checkSpec } from '../../src/kernel/spec-schema.ts';
import { PluginError } from '../../src/protocol/errors.ts';
import type { PluginSpec } from '../../src/protocol/manifest.ts';

const SPEC: PluginSpec = { id: 'p', type: 'tool', entry: './p.wasm' };
const FOLDER = '/plugins/p';

function refusalOf(fields: object, from: 'program' | 'manifest' = 'program'): PluginError {
  try {
    planOf(checkSpec({ ...SPEC, ...fields }, from), from === 'manifest' ? FOLDER : undefined);
  } catch (error) {
    if (error instanceof PluginError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('the plan of a WebAssembly plugin', () => {
  it('has every default filled in', () => {
    expect(planOf(SPEC)).toMatchObject({
      host: 'wasm',
      wasm: {
        function: undefined,
        output: 'auto',
        wasi: false,
        modules: [],
        hostFunctions: undefined,
        folders: [],
        http: [],
        memoryPagesMax: 4_096,
        variableBytesMax: 2 ** 20,
        httpBytesMax: 2 ** 23,
        httpTimeoutMs: 30_000,
      },
    });
    expect(planOf({ ...SPEC, entry: './p.mjs' }).wasm).toBeUndefined();
  });

  it('has its files resolved, and whom it may reach', () => {
    const wasm = { modules: { other: './other.wasm' }, hostFunctions: './functions.ts' };
    const permissions = { http: ['A.com', { host: '10.0.0.1:8080', private: true }, '[::1]:9'] };
    const checked = checkSpec({ ...SPEC, wasm, permissions }, 'manifest');
    expect(planOf(checked, FOLDER)).toMatchObject({
      access: undefined,
      wasm: {
        modules: [{ name: 'other', url: new URL('file:///plugins/p/other.wasm') }],
        hostFunctions: new URL('file:///plugins/p/functions.ts'),
        http: [
          { host: 'a.com', port: undefined, private: false },
          { host: '10.0.0.1', port: 8080, private: true },
          { host: '[::1]', port: 9, private: false },
        ],
      },
    });
  });

  it.each([
    ['a concurrency', { concurrency: 2 }, '"concurrency"', 'pool'],
    ['options of a module', { entry: './p.mjs', wasm: {} }, '"wasm"', 'a module'],
    [
      'HTTP of a module',
      { entry: './p.mjs', permissions: { http: [] } },
      '"permissions.http"',
      'module',
    ],
    ['an unknown option', { wasm: { speed: 1 } }, 'wasm.speed', 'unknown field'],
    ['an unknown output', { wasm: { output: 'xml' } }, 'wasm.output', 'auto'],
    ['no pages', { wasm: { memoryPagesMax: 0 } }, 'wasm.memoryPagesMax', '1'],
    [
      'a linked module with a name that means something',
      { wasm: { modules: { env: './a.wasm' } } },
      'wasm.modules.env',
      'meaning',
    ],
    [
      'a host that is a URL',
      { permissions: { http: ['http://a.com'] } },
      'permissions.http',
      'without scheme',
    ],
    [
      'a folder to read alone',
      { wasm: { wasi: true }, permissions: { fs: { read: ['/data'] } } },
      '"permissions.fs"',
      'read and write',
    ],
    [
      'every folder',
      { wasm: { wasi: true }, permissions: { fs: { read: ['*'], write: ['*'] } } },
      '"permissions.fs"',
      'single folders',
    ],
  ])('is refused for %s', (_, fields, named, remedy) => {
    const refusal = refusalOf(fields);
    expect(refusal).toMatchObject({ code: 'INVALID_SPEC', pluginId: 'p' });
    expect(refusal.message).toContain(named);
    expect(refusal.message).toContain(remedy);
  });

  it.each([
    ['wasm.modules.other', { modules: { other: '../other.wasm' } }],
    ['wasm.modules.other', { modules: { other: 'file:///other.wasm' } }],
    ['wasm.hostFunctions', { hostFunctions: '/functions.mjs' }],
  ])('of a manifest names no file outside of its folder: %s', (field, wasm) => {
    const refusal = refusalOf({ wasm }, 'manifest');
    expect(refusal).toMatchObject({ code: 'INVALID_SPEC', data: { field } });
    expect(refusal.message).toContain("not a path inside the plugin's folder");
  });
});

describe('the variables of a guest', () => {
  it('are carried from one to the next', () => {
    const before = new Variables(100);
    before.set('a', new Uint8Array([1, 2]));
    const after = new Variables(100);
    after.set('b', new Uint8Array([3]));
    after.restore(before.snapshot());
    expect(after.snapshot()).toEqual(new Map([['a', new Uint8Array([1, 2])]]));
    expect(after.bytes).toBe(3);
  });

  it('are not restored of what is none, nor of too many', () => {
    const variables = new Variables(3);
    expect(() => variables.restore({ a: 1 })).toThrow('no snapshot');
    expect(() => variables.restore(new Map([['a', 1]]))).toThrow('more than variables');
    expect(() => variables.restore(new Map([['a', new Uint8Array(3)]]))).toThrow('hold 4 bytes');
  });
});
