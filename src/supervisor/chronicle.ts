/** What is told of one plugin, and what is remembered of it across its lives. */
import { PluginError } from '../protocol/errors.ts';
import { CRASH_LOG_LINES } from '../protocol/limits.ts';
import type {
  CrashReport,
  DeadLetter,
  LogLine,
  PluginState,
  PluginVersion,
} from '../protocol/report.ts';
import type { Redactor } from '../protocol/wire-error.ts';
import { crashError, crashReportOf } from './crash-report.ts';
import type { Death } from './life.ts';
import type { MemoryReading } from './memory-rules.ts';
import { Zombies } from './zombies.ts';

/** What a supervisor tells; the kernel makes events of it. */
export type SupervisorEvent =
  | { type: 'state-changed'; from: PluginState; to: PluginState }
  /** One of several replicas. */
  | { type: 'replica-changed'; from: PluginState; to: PluginState }
  /** There are more or fewer replicas. */
  | { type: 'scaled'; from: number; to: number }
  | { type: 'crashed'; crash: CrashReport }
  | ReloadEvent
  | { type: 'restarting' | 'restarted' | 'gave-up'; data: Record<string, unknown> }
  | { type: 'unresponsive'; reason: string; stack: string | undefined }
  | ({ type: 'memory-limit'; limitBytes: number } & MemoryReading)
  | { type: 'dead-letter'; letter: DeadLetter }
  | { type: 'log'; line: LogLine }
  | { type: 'warning'; message: string };

/** What is told of a reload, each when it is true. */
export type ReloadEvent =
  | { type: 'reload-started'; from: PluginVersion }
  | {
      type: 'reload-completed';
      from: PluginVersion;
      to: PluginVersion;
      attempts: number;
      statePreserved: boolean;
      durationMs: number;
    }
  | {
      type: 'reload-failed';
      from: PluginVersion;
      to: PluginVersion | undefined;
      attempts: number;
      durationMs: number;
      error: PluginError;
    }
  /** What there was of the new version is ended. */
  | { type: 'rolled-back'; to: PluginVersion; attempt: number; error: PluginError }
  | { type: 'state-preserved' | 'state-restored'; bytes: number };

export class Chronicle {
  restarts = 0;
  crashes = 0;
  lastCrash: CrashReport | undefined;
  /** The last lines, oldest first. */
  readonly logs: string[] = [];
  zombies = new Zombies();
  readonly redactor: Redactor;
  readonly #id: string;
  readonly #emit: (event: SupervisorEvent) => void;

  constructor(id: string, redactor: Redactor, emit: (event: SupervisorEvent) => void) {
    this.#id = id;
    this.redactor = redactor;
    this.#emit = emit;
  }

  /** What was before is remembered of the next version, too; its log lines are not. */
  inherit({ restarts, crashes, lastCrash, zombies }: Chronicle): void {
    this.restarts += restarts;
    this.crashes += crashes;
    this.lastCrash ??= lastCrash;
    this.zombies = zombies;
  }

  tell(event: SupervisorEvent): void {
    if (event.type === 'restarted') this.restarts++;
    this.#emit(event);
  }

  log(line: LogLine): void {
    this.logs.push(line.message);
    if (this.logs.length > CRASH_LOG_LINES) this.logs.shift();
    this.#emit({ type: 'log', line });
  }

  warn(message: string): void {
    this.#emit({ type: 'warning', message: this.redactor.text(message) });
  }

  silent(silence: { reason: string; stack: string | undefined }): void {
    this.#emit({ type: 'unresponsive', ...this.redactor.value(silence) });
  }

  /** @returns what the calls that went with that life are rejected with. */
  died(death: Death, generation: number, loading: boolean): PluginError {
    if (death.zombie) this.warn(this.zombies.add(death.zombie));
    const crash = crashReportOf(death, this.logs, this.redactor);
    if (!crash) return stopped(this.#id);
    this.crashes++;
    this.lastCrash = crash;
    this.#emit({ type: 'crashed', crash });
    return crashError(this.#id, crash, generation, loading);
  }
}

export function stopped(pluginId: string): PluginError {
  return new PluginError('PLUGIN_STOPPED', `${pluginId} was stopped`, { pluginId });
}
