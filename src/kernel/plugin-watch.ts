/**
 * Watches the files of one plugin and reloads it when what is in them is something else. It
 * watches folders, not files: a file that is replaced as a whole is another one of the same name.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';

import { Mutex } from 'async-mutex';
import type { FSWatcher } from 'chokidar';

import type { PluginPlan } from '../protocol/manifest.ts';
import type { Succession } from '../supervisor/succession.ts';
import { TurnQueue } from '../supervisor/turn-queue.ts';
import { watchFolders } from './folders.ts';
import { ReloadTrigger } from './reload-trigger.ts';
import { sourcesOf, type Sources } from './sources.ts';

export interface PluginWatchOptions {
  keeper: Pick<Succession, 'plan' | 'load' | 'reload'>;
  /** The path of its plugin.json, where it came from one. */
  manifest: string | undefined;
  failed: (error: unknown) => void;
}

export class PluginWatch {
  readonly #options: PluginWatchOptions;
  readonly #looks = new TurnQueue(() => this.#look());
  readonly #marks = new Mutex();
  #sources: Sources | undefined;
  /** What was in the files when a version was last made of them, and of the one that serves. */
  #tried = '';
  #serving = '';
  /** Of each folder, the one that watches it. */
  readonly #watchers = new Map<string, FSWatcher>();
  #trigger: ReloadTrigger | undefined;
  #isClosed = false;

  constructor(options: PluginWatchOptions) {
    this.#options = options;
  }

  /** A version is about to be made of this plan and the files as they are. */
  mark(plan: PluginPlan): Promise<void> {
    return this.#marks.runExclusive(() => this.#mark(plan));
  }

  /** What was made of the files serves. */
  served(): void {
    this.#serving = this.#tried;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#trigger?.close();
    await this.#unwatch();
  }

  async #mark(plan: PluginPlan): Promise<void> {
    const { watch, strategy, debounceMs } = plan.reload;
    this.#trigger?.close();
    this.#trigger = undefined;
    if (this.#isClosed || !watch || strategy === 'manual') {
      await this.#unwatch();
      return;
    }
    const sources = await this.#read(plan);
    this.#tried = sources.hash;
    this.#serving ||= sources.hash;
    this.#trigger = new ReloadTrigger({
      strategy,
      debounceMs,
      isIdle: () => this.#options.keeper.load === 0,
      due: () => {
        this.#looks.ask().catch(this.#options.failed);
      },
    });
    await this.#watch(sources);
    // what changed before the watch began
    if ((await this.#read(plan)).hash !== this.#tried) this.#trigger.changed();
  }

  async #look(): Promise<void> {
    const { keeper } = this.#options;
    let sources = await this.#read(keeper.plan);
    // a folder that something is imported from may have come
    if (!sources.isWhole && (await this.#watch(sources))) sources = await this.#read(keeper.plan);
    const { hash } = sources;
    if (this.#isClosed || hash === this.#tried) return;
    if (hash !== this.#serving) await keeper.reload();
    else this.#tried = hash;
  }

  /** Of a broken source, the files of before are a part, too. */
  async #read(plan: PluginPlan): Promise<Sources> {
    const sources = await sourcesOf(plan, this.#options.manifest);
    if (sources.isWhole || !this.#sources) this.#sources = sources;
    else {
      const files = new Set([...this.#sources.files, ...sources.files]);
      this.#sources = { ...sources, files: [...files] };
    }
    return sources;
  }

  /** @returns whether there is a folder that was not watched before. */
  async #watch(sources: Sources): Promise<boolean> {
    const folders = [...new Set(sources.files.map((file) => folderOf(file)))];
    const fresh = folders.filter((folder) => !this.#watchers.has(folder));
    if (fresh.length === 0) return false;
    const watcher = await watchFolders(fresh, 0, (file) => {
      const known = this.#sources;
      if (!known?.isWhole || known.files.includes(file)) this.#trigger?.changed();
    });
    for (const folder of fresh) this.#watchers.set(folder, watcher);
    if (this.#isClosed) await this.#unwatch();
    return true;
  }

  async #unwatch(): Promise<void> {
    const watchers = new Set(this.#watchers.values());
    this.#watchers.clear();
    await Promise.all([...watchers].map((watcher) => watcher.close()));
  }
}

/** The one it lies in, or would: then the nearest above that is there. */
function folderOf(file: string): string {
  const folder = path.dirname(file);
  return existsSync(folder) || folder === file ? folder : folderOf(folder);
}
