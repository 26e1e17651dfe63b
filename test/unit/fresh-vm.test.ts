/** VMs of scripts: the first is made, its image is copied for all others. */
import { beforeAll, describe, expect, it, vi } from 'vitest';

import { openEngine } from '../../src/hosts/script/engine.ts';
import { freshVm, type FreshVm } from '../../src/hosts/script/fresh-vm.ts';
import { guestOptions } from '../../src/hosts/script/guest-source.ts';
import { Task } from '../../src/hosts/script/task.ts';
import { ScriptVm, type VmOptions } from '../../src/hosts/script/vm.ts';
import { scriptEngine } from '../../src/kernel/script-engine.ts';
import { OnceCell } from '../../src/protocol/once-cell.ts';
import { createImageCell } from '../../src/protocol/script-boot.ts';

let engine: WebAssembly.Module;

beforeAll(async () => {
  engine = await openEngine(undefined);
});

const newTask = (): Task => new Task({ operationsMax: 0, turnMsMax: 10_000 });

function options(more: Partial<VmOptions> = {}): VmOptions {
  return {
    engine,
    memoryMb: 32,
    stackKb: 256,
    functions: {},
    resolveImport: (_, specifier) => specifier,
    readModule: () => '',
    lost: (error) => {
      throw error;
    },
    unhandled: () => undefined,
    ...more,
  };
}

const freshOf = (image: SharedArrayBuffer, more?: Partial<VmOptions>): Promise<FreshVm> =>
  freshVm(options(more), newTask(), image);

/** What an expression is, as text. */
function textOf(vm: ScriptVm, source: string): string {
  return vm.turn(newTask(), () => vm.evaluate(`String(${source})`, 'test').toString());
}

/** Runs the runtime's part, as a script's start does. */
function begin({ vm, guest }: FreshVm): string {
  return vm.turn(newTask(), () => {
    const limits = { payloadDepthMax: 100, payloadBytesMax: 1_000 };
    vm.apply(guest, [vm.hostFunctions(), guestOptions(limits)]).dispose();
    return vm.evaluate('typeof definePlugin', 'test').toString();
  });
}

describe('a fresh VM', () => {
  it('is made once; the next is a copy, and the same', async () => {
    const image = createImageCell();
    const create = vi.spyOn(ScriptVm, 'create');
    const vms = [await freshOf(image), await freshOf(image), await freshOf(image)];
    expect(create).toHaveBeenCalledTimes(1);
    expect(vms.map(begin)).toEqual(['function', 'function', 'function']);
    create.mockRestore();
  });

  it('shares nothing with another of the same image', async () => {
    const image = createImageCell();
    await freshOf(image);
    const [first, second] = [await freshOf(image), await freshOf(image)];
    textOf(first.vm, "globalThis.left = 'mine'");
    expect(textOf(first.vm, 'left')).toBe('mine');
    expect(textOf(second.vm, 'typeof left')).toBe('undefined');
    expect(textOf((await freshOf(image)).vm, 'typeof left')).toBe('undefined');
  });

  it('draws numbers of its own', async () => {
    const image = createImageCell();
    const vms = [await freshOf(image), await freshOf(image), await freshOf(image)];
    const draws = vms.map(({ vm }) => textOf(vm, '[Math.random(), Math.random()]'));
    expect(new Set(draws).size).toBe(3);
  });

  it('keeps to the limits of its own plugin', async () => {
    const image = createImageCell();
    await freshOf(image, { memoryMb: 64 });
    const { vm } = await freshOf(image, { memoryMb: 4 });
    const much = "(() => { try { return 'x'.repeat(8e6).length } catch { return 'refused' } })()";
    expect(textOf(vm, much)).toBe('refused');
    expect(textOf((await freshOf(image, { memoryMb: 64 })).vm, much)).toBe('8000000');
  });

  it.each([
    ['nothing', new Uint8Array()],
    ['no image', new Uint8Array(200_000).fill(7)],
  ])('is made from nothing where what was left is %s', async (_, left) => {
    const image = createImageCell();
    const cell = new OnceCell(image);
    cell.claim();
    cell.write(left);
    expect(begin(await freshOf(image))).toBe('function');
  });

  it('is made from nothing where an image is damaged', async () => {
    const image = createImageCell();
    await freshOf(image);
    const kept = new OnceCell(image).read();
    // all but the length of the text, by which it is known
    kept?.fill(0, 4);
    expect(begin(await freshOf(image))).toBe('function');
  });
});

describe('the engine of scripts', () => {
  it('is compiled once for all threads', async () => {
    const compile = vi.spyOn(WebAssembly, 'compile');
    const [first, second] = await Promise.all([scriptEngine('thread'), scriptEngine('pool')]);
    expect(first?.code).toBeInstanceOf(WebAssembly.Module);
    expect(second).toBe(first);
    expect(await scriptEngine('thread')).toBe(first);
    expect(compile).toHaveBeenCalledTimes(1);
    compile.mockRestore();
  });

  it('is left to a process itself, to which nothing compiled can be sent', async () => {
    expect(await scriptEngine('process')).toBeUndefined();
  });
});
