/** One version of a plugin from its creation to its end, and what of it is told. */
import { PluginError } from '../protocol/errors.ts';
import type { SupervisorEvent } from './chronicle.ts';
import { within } from './deadline.ts';
import type { Version } from './keeper.ts';
import type { SupervisorOptions } from './surroundings.ts';

type Emit = SupervisorOptions['emit'];

export class Tenure {
  readonly version: Version;
  /** The one that is called, or one that is to be, or was. */
  at: 'coming' | 'present' | 'leaving' = 'coming';
  readonly #emit: Emit;
  #hurry: () => void = () => undefined;
  #break: (error: PluginError) => void = () => undefined;
  /** Rejects when it crashes before it serves. */
  readonly broken: Promise<never>;

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
      const error = new PluginError(
        'PLUGIN_CRASHED',
        `the new version of ${id} crashed: ${message}`,
        {
          pluginId: id,
          data: { ...event.crash, generation },
          cause: event.crash.error,
        },
      );
      // what the crash does to a verb under way says more
      setImmediate(() => {
        this.#break(error);
      });
    } else if (this.at === 'present' || TOLD[this.at].has(event.type)) {
      this.#emit(event, generation, replica);
    }
  }
}

/** What is told of a version that is not the plugin: its states are not those of the plugin. */
const TOLD: Record<'coming' | 'leaving', ReadonlySet<SupervisorEvent['type']>> = {
  coming: new Set(['log', 'warning', 'memory-limit', 'unresponsive']),
  leaving: new Set(['log', 'warning', 'memory-limit', 'unresponsive', 'crashed', 'dead-letter']),
};
