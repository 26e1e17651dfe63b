import { fileURLToPath } from 'node:url';

import type { PluginHandle, PluginManager } from 'troupe';
import { describe, expect, it } from 'vitest';

import { nextEvent } from '../support/events.ts';
import { createManager, fixture } from '../support/manager.ts';
import { causeOf, failureOf } from '../support/outcomes.ts';
import {
  BACKEND,
  HOST_FUNCTIONS,
  moduleFiles,
  PROVIDER,
  type ModuleKind,
} from '../support/typescript-modules.ts';

const WATCHED = { watch: true, debounceMs: 20, attempts: 1 } as const;
const BY_HAND = { watch: true, strategy: 'manual', attempts: 1 } as const;
const BROKEN = 'export default [\n  1 2];';

async function versionOf(plugin: PluginHandle, { version }: ModuleKind): Promise<number> {
  return Number(await plugin.execute(version));
}

/** Its thread ends in a call. */
async function crash(
  manager: PluginManager,
  plugin: PluginHandle,
  { exit }: ModuleKind,
): Promise<void> {
  const crashed = nextEvent(manager, 'crashed');
  expect((await failureOf(plugin.execute(exit))).code).toBe('PLUGIN_CRASHED');
  await crashed;
}

describe.each([BACKEND, PROVIDER, HOST_FUNCTIONS])('$name in TypeScript', (kind) => {
  it.each(kind.isolations)('imports a file of its own, in a %s', async (isolation) => {
    const manager = createManager();
    const plugin = await manager.register(await kind.spec(fixture(kind.file), { isolation }));
    await manager.up();
    expect(await versionOf(plugin, kind)).toBe(1);
  });

  it.each(['thread', 'process'] as const)(
    'is read by a plugin that may read nothing else, in a %s',
    async (isolation) => {
      const manager = createManager();
      const permissions = { fs: { read: [] } };
      const spec = await kind.spec(fixture(kind.file), { isolation, permissions });
      const plugin = await manager.register(spec);
      await manager.up();
      expect(await versionOf(plugin, kind)).toBe(1);
    },
  );

  it('fails the load by file, line and column where it does not compile', async () => {
    const manager = createManager();
    const { module, write } = await moduleFiles(kind);
    await write(BROKEN);
    const plugin = await manager.register(await kind.spec(module, {}));
    const { code, message } = await failureOf(plugin.load());
    expect(code).toBe('LOAD_FAILED');
    expect(message).toContain(`own could not be loaded: ${kind.called} does not compile: `);
    expect(message).toMatch(placeIn(kind));
    expect(plugin.state).toBe('failed');
  });

  it('is watched: a broken edit is refused by its place, and the mended one taken over', async () => {
    const manager = createManager();
    const { module, text, write, writeVersion } = await moduleFiles(kind);
    const plugin = await manager.register(await kind.spec(module, { reload: WATCHED }));
    await manager.up();
    const failed = nextEvent(manager, 'reload-failed');
    await write(BROKEN);
    const { error } = await failed;
    expect(error).toMatchObject({ code: 'RELOAD_FAILED', data: { code: 'LOAD_FAILED' } });
    expect(error.message).toMatch(placeIn(kind));
    expect(await versionOf(plugin, kind)).toBe(1);
    await writeVersion(2);
    const completed = nextEvent(manager, 'reload-completed');
    await write(`${text}\n// mended`);
    await completed;
    expect(await versionOf(plugin, kind)).toBe(2);
  });

  it.each(kind.isolations)(
    'is what it was after a crash, whatever its file holds, until a reload, in a %s',
    async (isolation) => {
      const manager = createManager();
      const { module, text, write, writeVersion } = await moduleFiles(kind);
      const plugin = await manager.register(
        await kind.spec(module, { isolation, reload: BY_HAND }),
      );
      await manager.up();
      await writeVersion(2);
      await crash(manager, plugin, kind);
      expect(await versionOf(plugin, kind)).toBe(1);
      await write(BROKEN);
      expect(await plugin.reload()).toMatchObject({ ok: false });
      await crash(manager, plugin, kind);
      expect(await versionOf(plugin, kind)).toBe(1);
      await write(text);
      expect(await plugin.reload()).toMatchObject({ ok: true });
      expect(await versionOf(plugin, kind)).toBe(2);
      await writeVersion(3);
      await crash(manager, plugin, kind);
      expect(await versionOf(plugin, kind)).toBe(2);
    },
  );
});

describe.each([BACKEND, PROVIDER, HOST_FUNCTIONS])('$name in TypeScript', (kind) => {
  it('is watched with the files that it imports', async () => {
    const manager = createManager();
    const { module, writeVersion } = await moduleFiles(kind);
    const plugin = await manager.register(await kind.spec(module, { reload: WATCHED }));
    await manager.up();
    const completed = nextEvent(manager, 'reload-completed');
    await writeVersion(2);
    await completed;
    expect(await versionOf(plugin, kind)).toBe(2);
  });
});

describe.each([BACKEND, PROVIDER])('$name in TypeScript', (kind) => {
  it('throws errors whose stacks are of its file', async () => {
    const manager = createManager();
    const { module, write } = await moduleFiles(kind);
    const fails = 'const failed = (): never => {\n  throw new Error("not today");\n};\n';
    await write(`${fails}export const createOwn = failed;\nexport default failed;`);
    const plugin = await manager.register(await kind.spec(module, {}));
    await plugin.load();
    const cause = causeOf(await failureOf(plugin.init()));
    expect(cause.message).toBe('not today');
    expect(cause.stack).toContain(`${fileURLToPath(module)}:2:9`);
  });
});

describe('an LLM provider in TypeScript', () => {
  it.each([
    ['import "not-there";', "cannot be loaded: Cannot find package 'not-there'"],
    ['export const makeOwn = 1;', 'is no provider of the AI SDK: it exports no function create…'],
    ['export const createOwn = (): number => 1;', 'is no provider of the AI SDK 6'],
  ])('that is none is named by its own file: %s', async (text, said) => {
    const manager = createManager();
    const { module, write } = await moduleFiles(PROVIDER);
    await write(text);
    const plugin = await manager.register(await PROVIDER.spec(module, {}));
    await plugin.load();
    const { code, message } = causeOf(await failureOf(plugin.init()));
    expect(code).toBe('LLM_NO_PROVIDER');
    expect(message).toContain(`${module.href} ${said}`);
  });

  it('is made by the function that has the name of its file, where it exports several', async () => {
    const manager = createManager();
    const { module, text, write } = await moduleFiles(PROVIDER);
    await write(
      `${text}\nexport const createProvider = createOwn;\nexport const createAny = (): number => 1;`,
    );
    const plugin = await manager.register(await PROVIDER.spec(module, {}));
    await manager.up();
    expect(await versionOf(plugin, PROVIDER)).toBe(1);
  });
});

/** Where {@link BROKEN} is. */
function placeIn({ file }: ModuleKind): RegExp {
  const name = file.replace(/.*\//, '');
  return new RegExp(`/${name.replace('.', '\\.')}:2:5: Expected`);
}
