/** Threads of one plugin that did not end in time. They take no calls, but they cost memory. */
import { PluginError } from '../protocol/errors.ts';
import { ZOMBIES_MAX } from '../protocol/limits.ts';

export class Zombies {
  #count = 0;

  /** Those that are still there. */
  get count(): number {
    return this.#count;
  }

  /** @returns what to warn of. */
  add(gone: Promise<void>): string {
    this.#count++;
    void gone.then(() => {
      this.#count--;
    });
    const text = `zombies: ${String(this.#count)} of at most ${String(ZOMBIES_MAX)}`;
    return `its thread did not end and was left behind; ${text}`;
  }

  /** @throws PluginError `LOAD_FAILED` where another thread might be one too many. */
  refuseMore(pluginId: string): void {
    if (this.#count < ZOMBIES_MAX) return;
    throw new PluginError(
      'LOAD_FAILED',
      `${pluginId} is not started: ${String(this.#count)} threads of its earlier lives have not ended yet`,
      { pluginId, data: { zombies: this.#count } },
    );
  }
}
