import { PluginManager, type PluginSpec } from 'troupe';

import { times, workerFile, workFileFor, type Contender } from './contender.ts';

export const TROUPE = 'troupe';

/** A plugin in each thread. */
export const troupe = troupeWith(TROUPE, 'manager.execute, defaults');

/** One plugin in as many threads. */
export const troupePool = oneIdOf(`${TROUPE} pool`, "isolation: 'pool'", (threads) => ({
  isolation: 'pool',
  threads,
}));
export const troupeReplicas = oneIdOf(
  `${TROUPE} replicas`,
  'replicas: as many as there are threads',
  (replicas) => ({
    replicas,
  }),
);

/** Plugins by id, each from a file of `workers`. */
export async function managerOf(files: Readonly<Record<string, string>>): Promise<PluginManager> {
  const manager = new PluginManager('bench', { logs: 'silent' });
  for (const [id, file] of Object.entries(files)) {
    await manager.register({ id, type: 'custom', entry: workerFile(file) });
  }
  await manager.up();
  return manager;
}

function oneIdOf(
  name: string,
  settings: string,
  specFor: (threads: number) => Partial<PluginSpec>,
): Contender {
  return {
    name,
    settings,
    async start(course) {
      const manager = new PluginManager('bench', { logs: 'silent' });
      await manager.register({
        id: 'work',
        type: 'custom',
        entry: workFileFor(course, TROUPE),
        ...specFor(course.threads),
      });
      await manager.up();
      return {
        call: (input, _lane, transfer) => manager.execute('work', input, transfer && { transfer }),
        stop: () => manager.close(),
      };
    },
  };
}

export function troupeWith(
  name: string,
  settings: string,
  spec: Partial<PluginSpec> = {},
): Contender {
  return {
    name,
    settings,
    async start(course) {
      const manager = new PluginManager('bench', { logs: 'silent' });
      const plugins = await Promise.all(
        times(course.threads, (at) =>
          manager.register({
            id: `work-${String(at)}`,
            type: 'custom',
            entry: workFileFor(course, TROUPE),
            ...spec,
          }),
        ),
      );
      await manager.up();
      const ids = plugins.map(({ id }) => id);
      return {
        call: (input, lane, transfer) =>
          manager.execute(ids[lane % ids.length] ?? '', input, transfer && { transfer }),
        stop: () => manager.close(),
      };
    },
  };
}
