import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';

import { open } from 'lmdb';
import { PluginError } from 'troupe';
import { storagePlugin } from 'troupe/plugins';
import { expect, onTestFinished, test } from 'vitest';

import { temporaryFolder } from '../support/files.ts';
import { createManager } from '../support/manager.ts';
import { codeOf, failureOf, lmdbOptions, runStorage } from '../support/storage.ts';

const PAGE_BYTES = 4_096;

test('what was put is there in the next life, and in the next version', async () => {
  const manager = createManager();
  const storage = await runStorage(await lmdbOptions(), { manager });
  await storage.put('a', 1);
  await storage.restart();
  expect(await storage.get('a')).toBe(1);
  await storage.put('a', 2);
  expect((await storage.reload()).ok).toBe(true);
  expect(await storage.get('a')).toBe(2);
  await storage.stop();
  await storage.unload();
  await storage.load();
  await storage.init();
  await storage.start();
  expect(await storage.get('a')).toBe(2);
});

test('threads share one environment: each sees what another was told is stored, and swaps are exact', async () => {
  const manager = createManager();
  const options = await lmdbOptions();
  const plugins = await Promise.all(
    ['one', 'two', 'three'].map((id) => runStorage(options, { manager, id })),
  );
  const [one, two] = plugins;
  if (!one || !two) throw new Error('there are three');
  for (let n = 0; n < 50; n++) {
    await one.put('turn', n);
    expect(await two.get('turn')).toBe(n);
  }
  await one.put('n', 0);
  await Promise.all(
    plugins.flatMap((plugin) =>
      Array.from({ length: 30 }, async () => {
        for (;;) {
          const n = (await plugin.get<number>('n')) ?? 0;
          if ((await plugin.cas('n', n, n + 1)).swapped) return;
        }
      }),
    ),
  );
  expect(await two.get('n')).toBe(90);
  await Promise.all(plugins.map((plugin, at) => plugin.put(`entry ${String(at)}`, at)));
  expect((await two.stats())?.plugin).toMatchObject({ entries: 5 });
});

test('a large batch has its turn among threads that write without a pause', async () => {
  const manager = createManager();
  const options = await lmdbOptions();
  const busy = await runStorage(options, { manager, id: 'busy' });
  const storage = await runStorage(options, { manager });
  const time = { isOver: false };
  const writing = (async () => {
    for (let n = 0; !time.isOver; n++) await busy.put('n', n);
  })();
  const operations = Array.from({ length: 5_000 }, (_, at) => ({
    op: 'put' as const,
    key: `batch ${String(at)}`,
    value: at,
  }));
  expect(await storage.batch(operations, { timeoutMs: 15_000 })).toEqual({ applied: 5_000 });
  time.isOver = true;
  await writing;
});

test('a backup is made while others write, and is a database of one moment', async () => {
  const manager = createManager();
  const folder = await temporaryFolder();
  const storage = await runStorage({ path: path.join(folder, 'data') }, { manager });
  await storage.batch(
    Array.from({ length: 2_000 }, (_, at) => ({
      op: 'put' as const,
      key: `key ${String(at).padStart(5, '0')}`,
      value: 'x'.repeat(100),
    })),
  );
  const time = { isOver: false };
  const writing = (async () => {
    for (let n = 0; !time.isOver; n++) {
      const both = ['one', 'two'].map((key) => ({ op: 'put' as const, key, value: n }));
      await storage.batch(both);
    }
  })();
  const target = path.join(folder, 'backups', 'first');
  const { path: told, bytes } = await storage.backup(target);
  time.isOver = true;
  await writing;
  expect(told).toBe(target);
  expect(bytes).toBe((await stat(path.join(target, 'data.mdb'))).size);
  expect(bytes).toBeGreaterThan(200_000);
  expect(await readdir(path.dirname(target))).toEqual(['first']);

  const copy = await runStorage({ path: target }, { manager, id: 'copy' });
  expect(await copy.count({ prefix: 'key ' })).toBe(2_000);
  expect(await copy.get('one')).toBe(await copy.get('two'));
  expect(await codeOf(storage.backup(target))).toBe('STORAGE_BACKUP_FAILED');
});

test('a backup to where none can be is refused as one, and leaves nothing', async () => {
  const folder = await temporaryFolder({ file: 'not a folder' });
  const storage = await runStorage({ path: path.join(folder, 'data') });
  await storage.put('a', 1);
  const target = path.join(folder, 'file', 'backup');
  expect(await failureOf(storage.backup(target))).toEqual({
    code: 'STORAGE_BACKUP_FAILED',
    message: expect.stringMatching(/^the backup to .* was not made: E(EXIST|NOTDIR)$/) as string,
  });
  expect(await readdir(folder)).toEqual(['data', 'file']);
  expect(await storage.get('a')).toBe(1);
});

/** A small database, closed. */
async function closedDatabase(): Promise<string> {
  const { path: folder = '' } = await lmdbOptions();
  const manager = createManager();
  const storage = await runStorage({ path: folder }, { manager, id: 'first' });
  const operations = Array.from({ length: 500 }, (_, at) => ({
    op: 'put' as const,
    key: String(at),
    value: 'x'.repeat(1_000),
  }));
  await storage.batch(operations);
  await manager.close();
  return folder;
}

async function initFailure(folder: string): Promise<{ code: unknown; message: string }> {
  const manager = createManager();
  const storage = await manager.register(storagePlugin('storage', { path: folder }));
  await storage.load();
  return failureOf(storage.init());
}

test('a file that is none of LMDB is refused at init, with what to do', async () => {
  const folder = await temporaryFolder({ 'data.mdb': 'this is no database\n'.repeat(1_000) });
  const { code, message } = await initFailure(folder);
  expect(code).toBe('STORAGE_CORRUPT');
  expect(message).toContain(`the database in ${folder} cannot be read: it is not an LMDB file`);
  expect(message).toMatch(/Put a backup in its place, or move the folder away/);
});

test('a file that is cut off is refused at init, and the program lives', async () => {
  const folder = await closedDatabase();
  await truncate(path.join(folder, 'data.mdb'), 20_000);
  const { code, message } = await initFailure(folder);
  expect(code).toBe('STORAGE_CORRUPT');
  expect(message).toContain('it is cut off: 20000 bytes of');
});

test('a file with broken first pages is refused at init', async () => {
  const folder = await closedDatabase();
  const copy = path.join(await temporaryFolder(), 'copy');
  await cp(folder, copy, { recursive: true });
  const file = path.join(copy, 'data.mdb');
  const { size } = await stat(file);
  await writeFile(file, Buffer.alloc(size, 0xa5));
  expect((await initFailure(copy)).code).toBe('STORAGE_CORRUPT');
});

test('a page that broke somewhere in the file is found at init, whichever it is', async () => {
  const folder = await closedDatabase();
  const whole = await readFile(path.join(folder, 'data.mdb'));
  const pages = whole.byteLength / PAGE_BYTES;
  const outcomes: unknown[] = [];
  for (let round = 0; round < 12; round++) {
    const broken = Buffer.from(whole);
    const page = 2 + ((round * 31) % (pages - 2));
    broken.fill(round % 2 === 0 ? 0xa5 : 0, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    await writeFile(path.join(folder, 'data.mdb'), broken);
    // a page that nothing is on may be broken
    const failure = await initFailure(folder).catch(() => undefined);
    outcomes.push(
      failure && [failure.code, failure.message.includes(`page ${String(page)} is broken`)],
    );
  }
  const found = outcomes.filter((outcome) => outcome !== undefined);
  expect(found.length).toBeGreaterThan(6);
  expect(found).toEqual(found.map(() => ['STORAGE_CORRUPT', true]));
});

test('a path that cannot be a folder is refused at init', async () => {
  const folder = await temporaryFolder({ file: 'not a folder' });
  const { code, message } = await initFailure(path.join(folder, 'file'));
  expect({ code, message }).toMatchObject({
    code: 'STORAGE_FAILED',
    message: expect.stringMatching(/cannot be used: EEXIST: give the plugin a path/) as string,
  });
});

test.each(['thread', 'process'] as const)(
  'a restricted plugin in a %s has to be permitted add-ons, and is told so',
  async (isolation) => {
    const manager = createManager();
    const { path: folder = '' } = await lmdbOptions();
    const fs = { read: [folder], write: [folder] };
    const options = { path: folder, isolation };
    const denied = runStorage({ ...options, permissions: { fs } }, { manager, id: 'denied' });
    expect(await failureOf(denied)).toEqual({
      code: 'STORAGE_FAILED',
      message:
        'LMDB cannot be loaded: it is a native add-on, and this plugin may load none: set permissions.addons to true, or use another backend',
    });
    const permitted = await runStorage(
      { ...options, permissions: { fs, addons: true } },
      { manager, id: 'permitted' },
    );
    await permitted.put('a', 1);
    expect(await permitted.get('a')).toBe(1);
  },
);

const NO_MOUNT = (() => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root mounts a disk';
  return undefined;
})();
if (NO_MOUNT) process.stderr.write(`\nSKIPPED: a test with a full disk: ${NO_MOUNT}\n\n`);

test.skipIf(NO_MOUNT !== undefined)(
  'a full disk is an error of that call, nothing of it is written, and all is well once there is room',
  async (context) => {
    const folder = path.join(await temporaryFolder(), 'disk');
    await mkdir(folder);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', folder]);
    } catch {
      process.stderr.write('\nSKIPPED: a test with a full disk: mount is not permitted\n\n');
      context.skip();
    }
    onTestFinished(() => {
      execFileSync('umount', ['-l', folder]);
    });
    const manager = createManager();
    const storage = await runStorage({ path: path.join(folder, 'data') }, { manager });
    const value = new Uint8Array(200_000);
    let stored = 0;
    const fill = async (): Promise<void> => {
      for (; stored < 100; stored++) await storage.put(`large ${String(stored)}`, value);
    };
    expect(await codeOf(fill())).toBe('STORAGE_FULL');
    expect(stored).toBeGreaterThan(2);
    expect(await storage.count({ prefix: 'large' })).toBe(stored);
    expect(await storage.delete('large 0')).toBe(true);
    expect(await storage.delete('large 1')).toBe(true);
    await storage.put('again', new Uint8Array(100_000));
    expect(await storage.has('again')).toBe(true);
    expect((await storage.stats())?.restarts).toBe(0);
  },
);

test('a value that something else wrote is named, and a scan goes past it where it is told to', async () => {
  const folder = path.join(await temporaryFolder(), 'data');
  const options = { path: folder };
  const before = createManager();
  const first = await runStorage(options, { manager: before });
  for (const key of ['a', 'b', 'c', 'd', 'e']) await first.put(key, key, { namespace: 'mem' });
  await before.close();
  const root = open({ path: folder, noSubdir: false });
  const entries = root.openDB<Buffer, Buffer>({
    name: 'entries',
    encoding: 'binary',
    keyEncoding: 'binary',
  });
  for (const key of entries.getKeys()) {
    if (key.toString().endsWith('b')) await entries.put(key, Buffer.from('no value at all'));
    if (key.toString().endsWith('d')) await entries.put(key, Buffer.from('short'));
  }
  await root.close();

  const storage = await runStorage(options);
  const namespace = 'mem';
  expect(await failureOf(storage.get('b', { namespace }))).toEqual({
    code: 'STORAGE_CORRUPT',
    message:
      'what is stored at "b" in the namespace "mem" is no value: it was written by something else, or by a newer Node; ' +
      "put it again, delete it, or scan past it with unreadable: 'skip'",
  });
  expect((await failureOf(storage.scan({ namespace }))).message).toContain('"b" in the namespace');
  expect((await failureOf(storage.get('d', { namespace }))).message).toContain('"d" in the');
  const past = { namespace, unreadable: 'skip' } as const;
  const readable = ['a', 'c', 'e'].map((key) => ({ key, value: key }));
  expect(await storage.scan(past)).toEqual(readable);
  // what is skipped is not one of those that were asked for
  expect(await storage.scan({ ...past, limit: 2 })).toEqual(readable.slice(0, 2));
  const streamed: unknown[] = [];
  for await (const entry of storage.entries({ ...past, reverse: true })) streamed.push(entry);
  expect(streamed).toEqual(readable.toReversed());
  expect(await storage.scan({ namespace, keysOnly: true })).toHaveLength(5);
  expect((await storage.stats())?.plugin).toMatchObject({ entries: 5, unreadable: 5 });
  await storage.put('b', 'mended', { namespace });
  expect(await storage.delete('d', { namespace })).toBe(true);
  expect(await storage.scan({ namespace })).toHaveLength(4);
});

function refused(options: object): unknown {
  try {
    storagePlugin('storage', options);
  } catch (error) {
    return error instanceof PluginError && error.code === 'INVALID_SPEC' ? error.message : error;
  }
  return 'taken';
}

test('wrong options are refused by name, before anything is there', () => {
  expect(
    [
      { backend: 'sqlite' },
      { backend: 'memory', path: 'x' },
      { backend: 'redis' },
      { backend: 'redis', url: 'http://localhost' },
      { url: 'redis://localhost' },
      { path: '' },
      { maxBytes: 0 },
      { sweepMs: -1 },
      { maxbytes: 1 },
      { backendOptions: {} },
    ].map(refused),
  ).toEqual([
    'the options of storage are not valid: "backend" must be one of lmdb, memory, redis, or the URL of a module',
    'the options of storage are not valid: "path" is no option of the backend memory',
    'the options of storage are not valid: the backend redis needs "url", for example redis://localhost:6379',
    'the options of storage are not valid: "url" must be of the form redis[s]://host[:port]',
    'the options of storage are not valid: "url" is no option of the backend lmdb',
    'the options of storage are not valid: "path" must be a text that is not empty',
    'the options of storage are not valid: "maxBytes" must be a whole number, from 1',
    'the options of storage are not valid: "sweepMs" must be a whole number, 0 to 2147483647',
    "the options of storage are not valid: there is no option 'maxbytes' (did you mean 'maxBytes'?): there are path, url, keyPrefix, maxBytes, sweepMs, backendOptions",
    'the options of storage are not valid: "backendOptions" is no option of the backend lmdb',
  ]);
});
