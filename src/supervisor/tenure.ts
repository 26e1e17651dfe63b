/** One version of a plugin from its creation to its end, and what of it is told. */
import { PluginError } from '../protocol/errors.ts';
import type { SupervisorEvent } from './chronicle.ts';
import { within } from './deadline.ts';
import type { Version } from './keeper.ts';
import type { Overseer, SupervisorOptions } from './surroundings.ts';

type Emit = SupervisorOptions['emit'];

export class Tenure {
  readonly version: Version;
  /** The one that is called, or one that is to be, or was. */
  at: 'coming' | 'present' | 'leaving' = 'coming';
  readonly #emit: Emit;
  #hurry: () => void = () => undefined;
  #break: (error: PluginError) => void = () => undefined;
  /** Rejects when one of its lives ends before it serves. */
  readonly broken: Promise<never>;
  /** The same, at once. */
  failure: PluginError | undefined;

  constructor(create: (emit: Emit) => Version, emit: Emit) {
    this.#emit = emit;
    this.broken = new Promise((_, reject) => {
      this.#break = reject;
    });
    this.broken.catch(() => undefined);
    this.version = create((event, generation, replica) => {
      this.#told(event, generation, replica);
    });
  }

  /** Whoever ends before it serves does not come back. */
  watch(): void {
    const overseer: Overseer = {
      ended: () => {
        const { id } = this.version;
        const what = `the new version of ${id} ended before it served`;
        this.#fail(new PluginError('START_FAILED', what, { pluginId: id }));
      },
      changed: () => undefined,
    };
    for (const actor of this.version.actors) actor.overseer = overseer;
  }

  /** Its begun calls may end within its time; then it is stopped. Never rejects. */
  async leave(): Promise<void> {
    const { version } = this;
    const hurried = new Promise<void>((resolve) => {
      this.#hurry = resolve;
    });
    const idle = Promise.all(version.actors.map(({ dispatcher }) => dispatcher.whenIdle()));
    await within(Promise.race([idle, hurried]), version.plan.reload.drainTimeoutMs);
    await this.end();
  }

  /** It need not end its calls any more. */
  hurry(): void {
    this.#hurry();
  }

  async end(): Promise<void> {
    try {
      await this.version.perform('unload');
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const { id, generation } = this.version;
      const what = `the version of ${id} that was replaced did not end in good order: ${message}`;
      if (this.at === 'leaving') {
        this.#emit({ type: 'warning', message: what }, generation);
      }
    }
  }

  #told(event: SupervisorEvent, generation: number, replica: number | undefined): void {
    if (this.at === 'coming' && event.type === 'crashed') {
      const { message } = event.crash;
      const { id } = this.version;
      const what = `the new version of ${id} crashed: ${message}`;
      const data = { ...event.crash, generation };
      this.#fail(
        new PluginError('PLUGIN_CRASHED', what, { pluginId: id, data, cause: event.crash.error }),
      );
    } else if (this.at === 'present' || TOLD[this.at].has(event.type)) {
      this.#emit(event, generation, replica);
    }
  }

  #fail(error: PluginError): void {
    this.failure ??= error;
    // what the end does to a verb under way says more
    setImmediate(() => {
      this.#break(error);
    });
  }
}

/** What is told of a version that is not the plugin: its states are not those of the plugin. */
const TOLD: Record<'coming' | 'leaving', ReadonlySet<SupervisorEvent['type']>> = {
  coming: new Set(['log', 'warning', 'memory-limit', 'unresponsive']),
  leaving: new Set(['log', 'warning', 'memory-limit', 'unresponsive', 'crashed', 'dead-letter']),
};
