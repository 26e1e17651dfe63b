/**
 * A VM in which the runtime's own part has been read and nothing has run. The first of a program
 * is made from nothing; of its memory an image is kept, from which all others are made by copying.
 * The image is of no plugin: limits, names and functions are given to each VM when it is there.
 */
import type { JSValueHandle } from 'quickjs-wasi';

import { OnceCell } from '../../protocol/once-cell.ts';
import { GUEST_FILE, guestText } from './guest-source.ts';
import type { Task } from './task.ts';
import { ScriptVm, type VmImage, type VmOptions } from './vm.ts';

export interface FreshVm {
  vm: ScriptVm;
  /** The function of the text. */
  guest: JSValueHandle;
}

/** @param shared a {@link OnceCell} for the image; without it each VM is made from nothing. */
export async function freshVm(
  options: VmOptions,
  task: Task,
  shared: SharedArrayBuffer | undefined,
): Promise<FreshVm> {
  const cell = shared && new OnceCell(shared);
  const image = cell?.read();
  const copy = image && (await copied(options, image));
  if (copy) return copy;
  const vm = await ScriptVm.create(options);
  const fresh = { vm, guest: vm.turn(task, () => vm.evaluate(guestText(), GUEST_FILE)) };
  if (cell?.claim()) keep(cell, fresh, task);
  return fresh;
}

/** Before the memory: length of the text, where the chance of `Math.random` lies, and of the VM. */
const HEADER_FIELDS = 6;
const HEADER_BYTES = HEADER_FIELDS * Uint32Array.BYTES_PER_ELEMENT;

/** `undefined` where the image does not fit: it was made with another text, or is none. */
async function copied(options: VmOptions, kept: Uint8Array): Promise<FreshVm | undefined> {
  const header = new Uint32Array(kept.slice(0, HEADER_BYTES).buffer);
  const [chars, chance = 0, stackPointer = 0, runtimePtr = 0, contextPtr = 0, token = 0] = header;
  if (chars !== guestText().length) return undefined;
  const memory = kept.subarray(HEADER_BYTES);
  try {
    const { vm, handles } = await ScriptVm.restore(
      options,
      { memory, stackPointer, runtimePtr, contextPtr, tokens: [token] },
      (own) => {
        reseed(own, chance);
      },
    );
    const [guest] = handles;
    return guest?.isFunction === true ? { vm, guest } : undefined;
  } catch {
    // it is not what a VM left here
    return undefined;
  }
}

function keep(cell: OnceCell, { vm, guest }: FreshVm, task: Task): void {
  const image = vm.image([guest]);
  vm.turn(task, () => {
    vm.evaluate('Math.random()', GUEST_FILE).dispose();
  });
  const chance = chanceIn(image, vm.image([]));
  // else all would draw the same numbers
  if (chance === undefined) return;
  const { stackPointer, runtimePtr, contextPtr, tokens, memory } = image;
  const [token = 0] = tokens;
  const fields = [guestText().length, chance, stackPointer, runtimePtr, contextPtr, token];
  cell.write(new Uint8Array(Uint32Array.from(fields).buffer), memory);
}

/** Where the state of the generator behind `Math.random` lies: it made one step from `before` to `after`. */
function chanceIn({ memory: before }: VmImage, { memory: after }: VmImage): number | undefined {
  const from = wordsOf(before);
  const to = wordsOf(after);
  const found: number[] = [];
  for (let at = 0; at < from.length; at++) {
    const state = from[at] ?? 0n;
    if (state !== to[at] && state !== 0n && stepped(state) === to[at]) found.push(8 * at);
  }
  return found.length === 1 ? found[0] : undefined;
}

/** QuickJS's xorshift64star. */
function stepped(state: bigint): bigint {
  let x = state;
  x ^= x >> 12n;
  x ^= BigInt.asUintN(64, x << 25n);
  return x ^ (x >> 27n);
}

function wordsOf({ buffer, byteOffset, byteLength }: Uint8Array): BigUint64Array {
  return new BigUint64Array(buffer, byteOffset, byteLength / 8);
}

/** From V8's generator, which each thread has its own of. The state must not be 0. */
function reseed(memory: Uint8Array, at: number): void {
  const state = new DataView(memory.buffer, at, 8);
  state.setUint32(0, Math.random() * 2 ** 32);
  state.setUint32(4, (Math.random() * 2 ** 32) | 1);
}
