// Measures guests of Troupe and of Extism in one process; tells its parent the times (µs).
import process from 'node:process';

import { createPlugin } from '@extism/extism';
import { PluginManager } from 'troupe';
import wabt from 'wabt';

const GUEST = `(module
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "input_load_u8" (func $input_load_u8 (param i64) (result i32)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (memory (export "memory") 1)
  (func (export "echo") (result i32)
    (local $bytes i64) (local $at i64) (local $i i64)
    (local.set $bytes (call $input_length))
    (local.set $at (call $alloc (local.get $bytes)))
    (loop $again
      (call $store_u8
        (i64.add (local.get $at) (local.get $i))
        (call $input_load_u8 (local.get $i)))
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br_if $again (i64.lt_u (local.get $i) (local.get $bytes))))
    (call $output_set (local.get $at) (local.get $bytes))
    (i32.const 0)))`;

const { parseWat } = await wabt();
const data = new Uint8Array(parseWat('guest.wat', GUEST).toBinary({}).buffer);
const entry = new URL(`data:application/wasm;base64,${Buffer.from(data).toString('base64')}`);
const manager = new PluginManager('bench', { logs: 'silent' });
let created = 0;

async function createTroupe() {
  created++;
  const guest = await manager.register({
    id: `guest-${created}`,
    type: 'custom',
    host: 'wasm',
    entry,
    wasm: { function: 'echo' },
  });
  await guest.load();
  await guest.init();
  await guest.start();
  return { call: (input) => guest.execute(input), stop: () => guest.unregister() };
}

const createExtism = (runInWorker) => async () => {
  const plugin = await createPlugin({ wasm: [{ data }] }, { runInWorker });
  return {
    call: async (input) => (await plugin.call('echo', input)).text(),
    stop: () => plugin.close(),
  };
};

const contenders = [
  { name: 'troupe', settings: 'default', create: createTroupe },
  { name: 'Extism, in a worker', settings: 'runInWorker: true', create: createExtism(true) },
  { name: 'Extism, not isolated', settings: 'runInWorker: false', create: createExtism(false) },
];

const calls = (input) => async (_create, instance, repeat) => {
  for (let call = 0; call < repeat; call++) {
    if ((await instance.call(input)) !== input) throw new Error('it gave back something else');
  }
};

const subjects = [
  {
    what: 'create, call once, end',
    repeat: 1,
    async run(create) {
      const instance = await create();
      await instance.call('hello');
      await instance.stop();
    },
  },
  { what: '5 bytes', repeat: 200, run: calls('hello') },
  {
    what: '16 KiB',
    repeat: 20,
    run: calls('x'.repeat(16 * 1_024)),
  },
];

// they take turns, so that the machine's mood is the same for each
const runs = Number(process.argv[2]);
const instances = await Promise.all(contenders.map(({ create }) => create()));
const rows = [];
for (const { what, repeat, run } of subjects) {
  const took = contenders.map(() => []);
  for (let turn = 0; turn <= runs; turn++) {
    for (const [at, { name, create }] of contenders.entries()) {
      process.send(`${what}, run ${turn} of ${runs}: ${name}`);
      const since = performance.now();
      await run(create, instances[at], repeat);
      // the first run only warms up
      if (turn > 0) took[at].push(((performance.now() - since) * 1_000) / repeat);
    }
  }
  rows.push(
    ...contenders.map(({ name, settings }, at) => ({
      group: what,
      contender: name,
      settings,
      values: took[at],
    })),
  );
}
for (const instance of instances) await instance.stop();
await manager.close();
process.send(rows, () => process.exit());
