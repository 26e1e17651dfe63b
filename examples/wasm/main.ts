/**
 * Guests in two languages as plugins: `node examples/wasm/build.mjs` makes them of their sources,
 * `node --import tsx examples/wasm/main.ts` runs them.
 */
import process from 'node:process';
import { pathToFileURL } from 'node:url';

import { PluginManager } from 'troupe';

const built = pathToFileURL(`${process.argv[2] ?? `${import.meta.dirname}/build`}/`);
const manager = new PluginManager('wasm-example');

await manager.register({
  id: 'vowels',
  type: 'tool',
  entry: new URL('vowels.wasm', built),
  wasm: { output: 'json' },
});
await manager.register({
  id: 'shout',
  type: 'tool',
  entry: new URL('shout.wasm', built),
  config: { ask: 'upper' },
});
await manager.register({
  id: 'upper',
  type: 'tool',
  entry: 'data:text/javascript,export default (text) => text.toUpperCase()',
});
await manager.up();

console.log(await manager.execute('vowels', 'a guest in AssemblyScript'));
console.log(await manager.execute('vowels', 'and its variables'));
manager.context.events.on('vowels', ({ data, from }) => console.log('event of', from, data));
await manager.execute('vowels', { function: 'announce', input: 'told' });

console.log(await manager.execute('shout', '"from one plugin to another"'));
const { plugin } = (await manager.stats('vowels')) ?? {};
console.log(plugin);
await manager.close();
