/** What is told of a life's end, and what the calls it took with it are rejected with. */
import { PluginError } from '../protocol/errors.ts';
import type { CrashReport } from '../protocol/report.ts';
import type { Redactor } from '../protocol/wire-error.ts';
import type { Death } from './life.ts';
import type { End } from './restart-policy.ts';

/** `undefined` for an end that somebody asked for, or that the plugin chose. */
export function crashReportOf(
  death: Death,
  logs: readonly string[],
  redactor: Redactor,
): CrashReport | undefined {
  const { reason, exitCode } = death;
  if (reason === 'asked' || reason === 'normal' || reason === 'shutdown') return undefined;
  // an error that the thread itself threw up never passed its actor
  const message = redactor.text(death.message);
  const error = redactor.value(death.error);
  return { reason, message, exitCode, error, at: Date.now(), logs: [...logs] };
}

/** @param loading a plugin that never was ready did not crash: it could not be loaded. */
export function crashError(
  pluginId: string,
  { reason, message, exitCode, error }: CrashReport,
  generation: number,
  loading: boolean,
): PluginError {
  return new PluginError(
    loading ? 'LOAD_FAILED' : 'PLUGIN_CRASHED',
    `${pluginId} ${loading ? 'ended before it was ready' : 'crashed'} (${reason}): ${message}`,
    { pluginId, data: { reason, exitCode, generation }, cause: error },
  );
}

export function endOf({ reason }: Death): End {
  return reason === 'normal' || reason === 'shutdown' ? reason : 'abnormal';
}
