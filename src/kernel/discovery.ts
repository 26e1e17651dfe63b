/** Registers the plugins below a folder; while it watches, also those that appear, and forgets those that go. */
import type { FSWatcher } from 'chokidar';

import { TurnQueue } from '../supervisor/turn-queue.ts';
import { originOf, pluginFolders } from './discover.ts';
import { settleAll } from './fleet.ts';
import { watchFolders } from './folders.ts';
import type { Kernel } from './kernel.ts';
import { ReloadTrigger } from './reload-trigger.ts';

export interface DiscoverOptions {
  /**
   * Also what appears in the folder later is registered, and brought up where `up()` was called
   * before; what goes is unregistered. Default false.
   */
  watch?: boolean;
}

/** A folder that is replaced is gone for a moment (ms). */
const SETTLED_MS = 200;

/**
 * @returns the ids of those that are registered now.
 * @throws AggregateError that names each that is broken.
 */
export async function discover(
  kernel: Kernel,
  root: string,
  { watch = false }: DiscoverOptions,
): Promise<string[]> {
  const discovery = new Discovery(kernel, root);
  try {
    return await discovery.discover();
  } finally {
    if (watch) {
      kernel.endings.add(() => discovery.close());
      await discovery.watch();
    }
  }
}

class Discovery {
  readonly #kernel: Kernel;
  readonly #root: string;
  /** Ids by folder. */
  readonly #found = new Map<string, string>();
  /** What is wrong with those that are broken: it is told once. */
  readonly #broken = new Map<string, string>();
  readonly #looks = new TurnQueue(() => this.#look());
  readonly #trigger: ReloadTrigger;
  #watcher: FSWatcher | undefined;
  #isClosed = false;

  constructor(kernel: Kernel, root: string) {
    this.#kernel = kernel;
    this.#root = root;
    this.#trigger = new ReloadTrigger({
      strategy: 'debounced',
      debounceMs: SETTLED_MS,
      isIdle: () => true,
      due: () => {
        this.#looks.ask().catch((error: unknown) => {
          this.#warn(messageOf(error));
        });
      },
    });
  }

  async discover(): Promise<string[]> {
    const { ids, errors } = await this.#register();
    if (errors.length === 0) return ids;
    const what = errors.map(messageOf).join('; ');
    throw new AggregateError(
      errors,
      `${String(errors.length)} of the plugins found are broken: ${what}`,
    );
  }

  async watch(): Promise<void> {
    this.#watcher = await watchFolders([this.#root], 1, () => {
      this.#trigger.changed();
    });
    if (this.#isClosed) await this.#watcher.close();
    // what came before the watch began
    else this.#trigger.changed();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#trigger.close();
    await this.#watcher?.close();
  }

  async #look(): Promise<void> {
    if (this.#isClosed) return;
    await this.#forget(await pluginFolders(this.#root).catch(() => []));
    const { ids } = await this.#register();
    const { registry, isUp } = this.#kernel;
    if (!isUp || ids.length === 0) return;
    for (const { error } of await settleAll(registry, ['load', 'init', 'start'], ids)) {
      this.#warn(error.message);
    }
  }

  async #register(): Promise<{ ids: string[]; errors: unknown[] }> {
    const { events } = this.#kernel;
    const ids: string[] = [];
    const errors: unknown[] = [];
    for (const folder of await pluginFolders(this.#root)) {
      if (this.#found.has(folder) || this.#isClosed) continue;
      try {
        const origin = originOf(folder);
        const { id } = this.#kernel.add(await origin.read(), origin);
        this.#found.set(folder, id);
        await this.#kernel.isWatching(id);
        this.#broken.delete(folder);
        ids.push(id);
        events.emit('discovered', id, 0, { folder });
      } catch (error) {
        errors.push(error);
        const message = messageOf(error);
        if (this.#broken.get(folder) !== message) this.#warn(message);
        this.#broken.set(folder, message);
      }
    }
    return { ids, errors };
  }

  async #forget(there: readonly string[]): Promise<void> {
    for (const [folder, id] of this.#found) {
      if (there.includes(folder)) continue;
      this.#found.delete(folder);
      const keeper = this.#kernel.registry.find(id);
      if (!keeper) continue;
      await this.#kernel.remove(id).catch((error: unknown) => {
        this.#warn(messageOf(error));
      });
      this.#kernel.events.emit('removed', id, keeper.generation, { folder });
    }
  }

  #warn(message: string): void {
    this.#kernel.events.emit('warning', this.#kernel.id, 0, { message });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
