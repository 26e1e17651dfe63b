/**
 * Watches the files of one plugin and reloads it when what is in them is something else. It
 * watches folders, not files: a file that is replaced as a whole is another one of the same name.
 */
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
  #watcher: FSWatcher | undefined;
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
    const { hash } = await this.#read(keeper.plan);
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

  async #watch(sources: Sources): Promise<void> {
    const folders = [...new Set(sources.files.map((file) => path.dirname(file)))];
    if (this.#watcher) this.#watcher.add(folders);
    else {
      this.#watcher = await watchFolders(folders, 0, (file) => {
        const known = this.#sources;
        if (!known?.isWhole || known.files.includes(file)) this.#trigger?.changed();
      });
    }
    if (this.#isClosed) await this.#unwatch();
  }

  async #unwatch(): Promise<void> {
    const watcher = this.#watcher;
    this.#watcher = undefined;
    await watcher?.close();
  }
}
