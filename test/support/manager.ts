/** A manager for one test: silent, and closed when the test is over, however it ended. */
import process from 'node:process';

import { PluginManager, type PluginHandle, type PluginSpec } from 'troupe';
import { onTestFinished } from 'vitest';

import { CARRIER, ISOLATION } from './isolation.ts';
import { forgetWords } from './words.ts';

/** Short limits, so that what hangs is ended while the test still looks. */
export const SHORT_LIMITS = {
  startTimeoutMs: 20_000,
  hookTimeoutMs: 20_000,
  stopTimeoutMs: 5_000,
  graceMs: 1_000,
} as const;

/** Restarts at once, as often as a test likes. */
export const EAGER_RESTART = {
  intensity: 100,
  backoff: { minMs: 0, maxMs: 0 },
} as const;

let managers = 0;

export function createManager(id = testId()): PluginManager {
  const manager = new PluginManager(id, { logs: 'silent' });
  onTestFinished(async () => {
    await manager.close();
    if (ISOLATION === 'process') await forgetWords(id);
  });
  return manager;
}

/** What fixtures in processes of their own count in is named after it. */
function testId(): string {
  return `troupe-test-${String(process.pid)}-${String(++managers)}`;
}

export type SpecOptions = Partial<PluginSpec>;

/** A spec of `test/fixtures/<name>`; the id is the file's name where none is given. */
export function specOf(name: string, options: SpecOptions = {}): PluginSpec {
  const { limits, concurrency, ...rest } = options;
  const isPool = (rest.isolation ?? ISOLATION) === 'pool';
  return {
    id: name.replace(/\.\w+$/, ''),
    type: 'tool',
    entry: fixture(name),
    isolation: ISOLATION,
    // a process has none
    ...((rest.isolation ?? ISOLATION) === 'process' ? {} : { carrier: CARRIER }),
    // what is said of calls inside one thread at once is said of as many threads
    ...(isPool ? { threads: concurrency ?? 1 } : { concurrency }),
    limits: { ...SHORT_LIMITS, ...limits },
    ...rest,
  };
}

/** Registers a fixture and brings it to `running`. */
export async function run<I = unknown, O = unknown>(
  manager: PluginManager,
  name: string,
  options: SpecOptions = {},
): Promise<PluginHandle<I, O>> {
  const { id } = await manager.register(specOf(name, options));
  const handle = manager.plugin<I, O>(id);
  await handle.load();
  await handle.init();
  await handle.start();
  return handle;
}

/** The plugin that misbehaves on command: see `test/fixtures/assistant.mjs`. */
export function runAssistant(
  manager: PluginManager,
  options: SpecOptions = {},
): Promise<PluginHandle> {
  return run(manager, 'assistant.mjs', { restart: EAGER_RESTART, ...options });
}

export function fixture(name: string): URL {
  return new URL(`../fixtures/${name}`, import.meta.url);
}
