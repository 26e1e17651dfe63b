/**
 * The two faults of the second actor run, and the record of how each went: who died, of what, and
 * when it was back. Never restarts anything: that it comes back by itself is what is to be shown.
 */
import { setTimeout as delay } from 'node:timers/promises';

import { type PluginManager, PluginError } from 'troupe';

import type { TermsRequest } from '../terms.ts';
import type { View } from '../view/view.ts';

const CRASH_AT = 0.3; // of the documents
const LOOP_AT = 0.6;
const FAULTS = 2;
const LOOP_TIMEOUT_MS = 500;
const LOOP_ATTEMPTS_MAX = 10;
const BACK_WITHIN_MS = 10_000;

export interface FaultReport {
  readonly plugin: string;
  /** The kernel's word for it. */
  readonly reason: string;
  readonly message: string;
  /** Epoch ms. */
  readonly at: number;
  /** The life that ended. */
  readonly generation: number;
  /** What became of the call that was its end. */
  readonly call?: string;
  /** The life after it, and the time between the two; missing if it did not come back. */
  readonly back?: { readonly generation: number; readonly afterMs: number };
}

/** At which documents the faults happen; of none, at none. */
export function faultPlan(documents: number): { crashAt: number; loopAt: number } {
  if (documents === 0) return { crashAt: -1, loopAt: -1 };
  return { crashAt: Math.floor(documents * CRASH_AT), loopAt: Math.floor(documents * LOOP_AT) };
}

/**
 * Has `terms` loop past a deadline; resolves with what the caller got. The deadline also counts the
 * time in the queue, and a call that expires there is never begun: then it is tried again.
 */
export async function provokeLoop(manager: PluginManager): Promise<string> {
  const request: TermsRequest = { sabotage: 'loop' };
  for (let attempt = 0; attempt < LOOP_ATTEMPTS_MAX; attempt++) {
    const calledAt = performance.now();
    try {
      await manager.execute('terms', request, { timeoutMs: LOOP_TIMEOUT_MS });
    } catch (error) {
      if (!(error instanceof PluginError) || error.code !== 'CALL_TIMEOUT') throw error;
      const afterMs = performance.now() - calledAt;
      if (error.data['phase'] === 'running') return `${error.code} after ${afterMs.toFixed(0)} ms`;
    }
  }
  return 'never begun';
}

export class FaultRecord {
  readonly #view: View;
  readonly #calls = new Map<string, string>();
  #faults: FaultReport[] = [];
  #onAllBack = (): void => {};

  constructor(manager: PluginManager, view: View) {
    this.#view = view;
    manager.on('crashed', ({ id, generation, at, crash }) => {
      const { reason, message } = crash;
      this.#faults.push({ plugin: id, reason, message, generation, at });
      view.say(`  ${id} died in generation ${generation}: ${reason}, ${message}`);
    });
    manager.on('restarted', ({ id, generation, at }) => this.#returned(id, generation, at));
  }

  get reports(): readonly FaultReport[] {
    return this.#faults.map((fault) => {
      const call = this.#calls.get(fault.plugin);
      return call === undefined ? fault : Object.assign({ call }, fault);
    });
  }

  /** Settles when all have died and come back, or when that takes too long: see `reports`. */
  async allBack(): Promise<void> {
    if (this.#isAllBack()) return;
    const back = new Promise<void>((resolve) => (this.#onAllBack = resolve));
    await Promise.race([back, delay(BACK_WITHIN_MS, undefined, { ref: false })]);
  }

  /** What became of the call that `plugin` died of. */
  note(plugin: string, call: string): void {
    this.#calls.set(plugin, call);
  }

  #returned(plugin: string, generation: number, at: number): void {
    this.#faults = this.#faults.map((fault) => {
      if (fault.plugin !== plugin || fault.back) return fault;
      return Object.assign({ back: { generation, afterMs: at - fault.at } }, fault);
    });
    const afterMs = this.#faults.findLast((fault) => fault.plugin === plugin)?.back?.afterMs;
    this.#view.say(`  ${plugin} is back in generation ${generation} after ${afterMs ?? '?'} ms`);
    if (this.#isAllBack()) this.#onAllBack();
  }

  #isAllBack(): boolean {
    return this.#faults.length >= FAULTS && this.#faults.every((fault) => fault.back);
  }
}
