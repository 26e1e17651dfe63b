/** A crash brings back the version that served, whatever its files hold by then. */
import type { PluginSpec } from 'troupe';
import { describe, expect, it } from 'vitest';

import { nextEvent } from '../support/events.ts';
import { createManager, EAGER_RESTART } from '../support/manager.ts';
import { failureOf } from '../support/outcomes.ts';
import { changing, type Changing } from '../support/reloading.ts';

const BROKEN = 'export default {';
const PART = 'part.mjs';

/** Its imports are a part of the version. */
function versioned(version: number, file: string): Record<string, string> {
  const crash = file.endsWith('.js') ? 'ctx.exit(new Error("on purpose"))' : 'process.exit(1)';
  return {
    [file]: `
      import { version } from './${PART}';
      let count = 0;
      export default {
        execute: (input) => input === 'crash' ? ${crash} : { version, count: ++count, input },
      };`,
    [PART]: `export const version = ${String(version)};`,
  };
}

async function write(changed: Changing, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) await changed.write(text, name);
}

const WATCHED = { watch: true, debounceMs: 20 };
const KINDS: [string, string, Partial<PluginSpec>][] = [
  ['a watched module', 'plugin.mjs', { reload: WATCHED }],
  ['a script', 'script.js', { host: 'script' }],
  ['a watched script', 'script.js', { host: 'script', reload: WATCHED }],
  [
    'a script in a pool',
    'script.js',
    { host: 'script', isolation: 'pool', threads: { min: 1, max: 1 } },
  ],
  [
    'a watched module in a pool',
    'plugin.mjs',
    { reload: WATCHED, isolation: 'pool', threads: { min: 1, max: 1 } },
  ],
  ['a module in TypeScript', 'plugin.ts', {}],
];

describe.each(KINDS)('%s', (_, file, spec) => {
  it('comes back from a crash as it was, though an edit that is refused is in its files', async () => {
    const manager = createManager();
    const files = versioned(1, file);
    const changed = await changing(manager, files[file], {
      file,
      ...spec,
      files,
      ...(spec.isolation === 'pool' ? {} : { restart: EAGER_RESTART }),
    });
    const { plugin } = changed;
    expect(await plugin.execute(1)).toMatchObject({ version: 1, count: 1 });

    const failed = nextEvent(manager, 'reload-failed');
    await write(changed, { [file]: BROKEN, [PART]: 'export const version = 2;' });
    if (!spec.reload) await plugin.reload();
    await failed;
    expect((await failureOf(plugin.execute('crash'))).code).toBe('PLUGIN_CRASHED');
    expect(await plugin.execute(1)).toEqual({ version: 1, count: 1, input: 1 });
    expect((await failureOf(plugin.execute('crash'))).code).toBe('PLUGIN_CRASHED');
    expect(await plugin.execute(2)).toEqual({ version: 1, count: 1, input: 2 });

    const completed = nextEvent(manager, 'reload-completed');
    const { [file]: entry = '', ...parts } = versioned(3, file);
    await write(changed, { ...parts, [file]: entry });
    if (!spec.reload) await plugin.reload();
    await completed;
    expect(await plugin.execute(3)).toMatchObject({ version: 3 });
  });
});
