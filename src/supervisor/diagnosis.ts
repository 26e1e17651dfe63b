/**
 * Looks closely at one plugin while it runs, one look at a time, and writes what it saw to a
 * file. Whatever ends a look early, no half of a file is left.
 */
import { stat, writeFile } from 'node:fs/promises';

import { PluginError } from '../protocol/errors.ts';
import { DEATH_NEWS_MS } from '../protocol/limits.ts';
import type { CpuProfileReport, HeapSnapshotReport, PluginState } from '../protocol/report.ts';
import type { Redactor } from '../protocol/wire-error.ts';
import { crashError, crashReportOf } from './crash-report.ts';
import { within } from './deadline.ts';
import { createDraft, type Draft } from './draft.ts';
import type { Life, LifeDiagnosis } from './life.ts';
import { summaryOf } from './profile-summary.ts';

/** A plugin as it is now. */
export interface Subject {
  id: string;
  state: PluginState;
  life: Life | undefined;
  redactor: Redactor;
}

interface Chosen {
  id: string;
  life: Life;
  redactor: Redactor;
  diagnosis: LifeDiagnosis;
}

export interface LookOptions {
  /** Absolute. */
  file: string;
  signal?: AbortSignal | undefined;
}

export interface ProfileOptions extends LookOptions {
  durationMs: number;
  samplingIntervalUs: number;
}

interface Look<Seen> extends LookOptions {
  /** What it is called in errors. */
  what: string;
  /** Fills the draft; `undefined`: the thread did not answer. */
  take: (life: LifeDiagnosis, draft: string, over: AbortSignal) => Promise<Seen | undefined>;
}

export class Diagnosis {
  readonly #subject: () => Subject;
  /** Whose look is under way. */
  #looked: Life | undefined;

  constructor(subject: () => Subject) {
    this.#subject = subject;
  }

  cpuProfile({
    durationMs,
    samplingIntervalUs,
    ...where
  }: ProfileOptions): Promise<CpuProfileReport> {
    return this.#look({
      ...where,
      what: 'a CPU profile',
      take: async (life, draft, signal) => {
        const profile = await life.cpuProfile({ durationMs, samplingIntervalUs, signal });
        if (!profile || signal.aborted) return undefined;
        // `r+` does not make the file again where it was discarded
        await writeFile(draft, JSON.stringify(profile), { flag: 'r+', signal });
        return summaryOf(profile);
      },
    });
  }

  heapSnapshot(where: LookOptions): Promise<HeapSnapshotReport> {
    return this.#look({
      ...where,
      what: 'a heap snapshot',
      take: async (life, draft) => {
        if (!(await life.heapSnapshot(draft))) return undefined;
        return { bytes: (await stat(draft)).size };
      },
    });
  }

  async #look<Seen extends object>(look: Look<Seen>): Promise<Seen & { file: string }> {
    const { file, signal, what, take } = look;
    const { id, life, redactor, diagnosis } = this.#choose(what);
    const over = new AbortController();
    let draft: Draft | undefined;
    let taking: Promise<Seen | undefined> | undefined;
    this.#looked = life;
    try {
      if (signal?.aborted) throw aborted(id, what, signal);
      draft = await drafted(id, what, file);
      taking = take(diagnosis, draft.path, over.signal);
      const death = deathOf(id, life, redactor);
      const seen = await Promise.race([taking, death, abortOf(id, what, signal, over.signal)]);
      if (!seen) {
        // a thread that has just ended falls silent before that is heard
        await within(death, DEATH_NEWS_MS);
        throw silent(id, what);
      }
      await draft.commit();
      return { ...seen, file };
    } catch (error) {
      throw error instanceof PluginError ? error : failed(id, what, error);
    } finally {
      over.abort();
      if (this.#looked === life) this.#looked = undefined;
      await discard(draft, taking);
    }
  }

  #choose(what: string): Chosen {
    const { id, state, life, redactor } = this.#subject();
    const refuse = (why: string): never => {
      throw new PluginError('INVALID_STATE', `${what} of ${id} cannot be taken: ${why}`, {
        pluginId: id,
        data: { state },
      });
    };
    if (!life) return refuse(`it is ${state} and has no thread`);
    const { diagnosis } = life;
    if (this.#looked === life || diagnosis.standsStill) {
      return refuse('a CPU profile or a heap snapshot of it is under way; wait for that');
    }
    return { id, life, redactor, diagnosis };
  }
}

async function drafted(id: string, what: string, file: string): Promise<Draft> {
  try {
    return await createDraft(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new PluginError('INVALID_SPEC', `${what} of ${id} cannot be written to ${file}: ${why}`, {
      pluginId: id,
      data: { field: 'file' },
      cause: error instanceof Error ? error.cause : error,
    });
  }
}

/** Rejects with what ended it. */
async function deathOf(id: string, life: Life, redactor: Redactor): Promise<never> {
  const death = await life.died;
  const crash = crashReportOf(death, [], redactor);
  if (crash) throw crashError(id, crash, life.generation, false);
  throw new PluginError('PLUGIN_STOPPED', `${id} was stopped`, { pluginId: id });
}

/** Rejects when the caller gives up. */
function abortOf(
  id: string,
  what: string,
  signal: AbortSignal | undefined,
  over: AbortSignal,
): Promise<never> {
  return new Promise((_, reject) => {
    if (!signal) return;
    const give = (): void => {
      reject(aborted(id, what, signal));
    };
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true, signal: over });
  });
}

function aborted(id: string, what: string, { reason }: AbortSignal): PluginError {
  const options = { pluginId: id, cause: reason as unknown };
  return new PluginError('CALL_ABORTED', `${what} of ${id} was aborted`, options);
}

function silent(id: string, what: string): PluginError {
  return new PluginError(
    'CALL_TIMEOUT',
    `${what} of ${id} cannot be taken: it does not answer; it is blocked outside of JavaScript, ended, or a process inside a long computation`,
    { pluginId: id },
  );
}

function failed(id: string, what: string, cause: unknown): PluginError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const options = { pluginId: id, cause };
  return new PluginError('CALL_FAILED', `${what} of ${id} could not be written: ${why}`, options);
}

/** A thread may be writing still: what that leaves is taken away when it is done. */
async function discard(
  draft: Draft | undefined,
  taking: Promise<unknown> | undefined,
): Promise<void> {
  const remove = (): Promise<void> => draft?.discard().catch(() => undefined) ?? Promise.resolve();
  taking?.then(remove, remove);
  await remove();
}
