/** The embedding process may itself run under Node's permission model. */
import { PluginError } from '../protocol/errors.ts';

const FLAGS = {
  'start a thread': '--allow-worker',
  'start a process': '--allow-child-process',
} as const;

/** @throws PluginError `START_FAILED` that names the flag, where Node denies it. */
export function permittedTo<T>(what: keyof typeof FLAGS, id: string, start: () => T): T {
  try {
    return start();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_ACCESS_DENIED')) {
      throw error;
    }
    throw new PluginError(
      'START_FAILED',
      `this program may not ${what} for ${id}: it runs under Node's permission model, without ${FLAGS[what]}`,
      { pluginId: id, cause: error },
    );
  }
}
