import { readFile } from 'node:fs/promises';

import { PluginManager } from 'troupe';
import { expect, onTestFinished, test } from 'vitest';

test('the bundled echo plugin is registered by its folder and answers with its input', async () => {
  const manager = new PluginManager('bundled', { logs: 'silent' });
  onTestFinished(async () => void (await manager.close()));
  const manifest = new URL(import.meta.resolve('troupe/plugins/echo/plugin.json'));
  const echo = await manager.register(new URL('.', manifest));
  await manager.up();
  const input = { text: 'hello', list: [1, 2, 3] };
  expect(await echo.execute(input)).toEqual(input);
  expect((await echo.stats())?.plugin).toEqual({ echoed: 1 });
  expect(manager.findByCapability('echo')).toEqual(['echo']);
});

test('the JSON Schema of plugin.json ships with the package and refuses unknown fields', async () => {
  const file = new URL(import.meta.resolve('troupe/schema/plugin.json'));
  const schema = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  expect(schema).toMatchObject({ additionalProperties: false, required: ['id', 'type', 'entry'] });
});
