import { PluginManager } from 'troupe';

import { workerFile, type Contender } from './contender.ts';

export const troupe: Contender = {
  name: 'troupe',
  settings: 'manager.execute, default',
  async start() {
    const manager = new PluginManager('bench', { logs: 'silent' });
    await manager.register({ id: 'echo', type: 'custom', entry: workerFile('echo') });
    await manager.up();
    return { call: (input) => manager.execute('echo', input), stop: () => manager.close() };
  },
};
