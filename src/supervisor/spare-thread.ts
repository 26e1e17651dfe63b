/**
 * One thread in reserve. Most of the time a plugin is away after a crash is the start of its new
 * thread; where something crashed, something may crash again, so from then on the next thread is
 * there already. Without crashes there is none, and without further ones it goes after a while.
 */
import { SPARE_THREAD_MS } from '../protocol/limits.ts';
import type { PluginPlan } from '../protocol/manifest.ts';
import { endThread } from './ending-threads.ts';
import { permittedTo } from './host-permission.ts';
import { createShell, type ShellOptions, type ThreadShell } from './thread-shell.ts';

const PLAIN: ShellOptions = { name: 'troupe spare', env: {}, addons: true, limits: {} };

let spare: ThreadShell | undefined;
let idle: NodeJS.Timeout | undefined;

/** A thread for this plugin: the one in reserve where it will do. */
export function shellFor({ metadata, env, access, limits }: PluginPlan): ThreadShell {
  const { memoryMb, stackMb } = limits;
  const addons = access?.addons ?? true;
  const isPlain =
    memoryMb === undefined && stackMb === undefined && addons && Object.keys(env).length === 0;
  const ready = isPlain ? spare : undefined;
  if (!ready)
    return permittedTo('start a thread', metadata.id, () =>
      createShell({ name: metadata.id, env, addons, limits }),
    );
  forget();
  ready.worker.ref();
  return ready;
}

/** Has one in reserve from now on. It keeps no process alive. */
export function keepSpare(): void {
  clearTimeout(idle);
  idle = setTimeout(() => void endSpare(), SPARE_THREAD_MS).unref();
  if (spare) return;
  const shell = reserve();
  if (!shell) return;
  const lost = (): void => {
    if (spare === shell) forget();
  };
  shell.worker.once('error', lost).once('exit', lost);
  shell.worker.unref();
  spare = shell;
}

function reserve(): ThreadShell | undefined {
  try {
    return createShell(PLAIN);
  } catch {
    // where this program may start no thread, what crashed was a process
    return undefined;
  }
}

/** Settles once it is gone. */
export async function endSpare(): Promise<void> {
  const ended = spare;
  forget();
  if (ended) await endThread(ended.worker);
}

function forget(): void {
  clearTimeout(idle);
  spare = undefined;
}
