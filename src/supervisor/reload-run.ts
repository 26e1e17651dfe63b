/**
 * One reload: tries a new version as often as it may be tried, and says truthfully what became of
 * it. What a try does is not decided here.
 */
import { PluginError, type ErrorCode } from '../protocol/errors.ts';
import type { ReloadOptions } from '../protocol/limits.ts';
import type { PluginVersion, ReloadResult } from '../protocol/report.ts';
import type { ReloadEvent } from './chronicle.ts';

/** What one try comes to. */
export interface Tried {
  to: PluginVersion;
  statePreserved: boolean;
}

export interface ReloadScope {
  id: string;
  from: PluginVersion;
  /** Tells `trying` of the version before anything of it runs. */
  attempt: (
    number: number,
    trying: (to: PluginVersion, how: ReloadOptions) => void,
  ) => Promise<Tried>;
  /** Of the version that serves: until it is known how the new one wants it. */
  how: ReloadOptions;
  tell: (event: ReloadEvent) => void;
}

/** Ends a reload early. */
export class CallOff {
  error: PluginError | undefined;
  #abort: (error: PluginError) => void = () => undefined;
  readonly #called = new Promise<never>((_, reject) => {
    this.#abort = reject;
  });

  constructor() {
    this.#called.catch(() => undefined);
  }

  call(error: PluginError): void {
    this.error ??= error;
    this.#abort(error);
  }

  /** The outcome, unless the reload is called off before. */
  race<T>(...work: Promise<T>[]): Promise<T> {
    return Promise.race([this.#called, ...work]);
  }

  async sleep(delayMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const slept = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, delayMs);
    });
    await this.race(slept).catch(() => undefined);
    clearTimeout(timer);
  }
}

export async function runReload(scope: ReloadScope, off: CallOff): Promise<ReloadResult> {
  const { id, from, tell } = scope;
  const startedAt = performance.now();
  let { how } = scope;
  let to: PluginVersion | undefined;
  tell({ type: 'reload-started', from });
  for (let attempts = 1; ; attempts++) {
    try {
      const tried = await scope.attempt(attempts, (version, options) => {
        [to, how] = [version, options];
      });
      const durationMs = performance.now() - startedAt;
      tell({ type: 'reload-completed', from, attempts, durationMs, ...tried });
      return { ok: true, from, attempts, durationMs, ...tried };
    } catch (error) {
      if (!off.error && attempts < how.attempts && !isPermanent(error)) {
        await off.sleep(how.cooldownMs);
        if (!off.error) continue;
      }
      const refused = refusalOf(id, attempts, off.error ?? error);
      const durationMs = performance.now() - startedAt;
      tell({ type: 'reload-failed', from, to, attempts, durationMs, error: refused });
      return { ok: false, from, to, attempts, durationMs, statePreserved: false, error: refused };
    }
  }
}

/** Trying again cannot help before the files change. */
function isPermanent(error: unknown): boolean {
  return error instanceof PluginError && PERMANENT.has(error.code);
}

const PERMANENT: ReadonlySet<ErrorCode> = new Set([
  'LOAD_FAILED',
  'INVALID_SPEC',
  'INVALID_STATE',
  'DEPENDENCY_MISSING',
  'DEPENDENCY_CYCLE',
  'DEPENDENCY_VERSION',
]);

function refusalOf(id: string, attempts: number, cause: unknown): PluginError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const code = cause instanceof PluginError ? cause.code : undefined;
  const data = { ...(cause instanceof PluginError ? cause.data : {}), code, attempts };
  return new PluginError('RELOAD_FAILED', `${id} was not reloaded, and is as before: ${why}`, {
    pluginId: id,
    data,
    cause,
  });
}
