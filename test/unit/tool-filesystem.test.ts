import { execFileSync } from 'node:child_process';
import {
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';

import { describe, expect, it, onTestFinished } from 'vitest';

import { filesystem } from '../../plugins/tool/builtin/filesystem.ts';
import { openFolder, openRoot, type Root } from '../../plugins/tool/builtin/fs-folder.ts';
import { append, create, read, replace } from '../../plugins/tool/builtin/fs-operations.ts';
import { namesOf } from '../../plugins/tool/builtin/fs-path.ts';
import { temporaryFolder } from '../support/files.ts';
import { outcomeOf, runTool } from '../support/tool-run.ts';

const SECRET = 'not yours';

/** A root with some files, and beside it what must stay out of reach. */
async function scene(): Promise<{ root: string; outside: string }> {
  const folder = await temporaryFolder({
    'root/a.txt': 'hello',
    'root/sub/b.txt': 'below',
    'outside/secret.txt': SECRET,
    'root-beside/secret.txt': SECRET,
  });
  const [root, outside] = [path.join(folder, 'root'), path.join(folder, 'outside')];
  await symlink(outside, path.join(root, 'link'));
  await symlink(path.join(outside, 'secret.txt'), path.join(root, 'file-link'));
  await symlink('../../outside', path.join(root, 'sub/up'));
  await symlink('sub', path.join(root, 'inner'));
  return { root, outside };
}

const NOWHERE: [path: string, code: string][] = [
  ['../outside/secret.txt', 'FS_PATH_REFUSED'],
  ['sub/../../outside/secret.txt', 'FS_PATH_REFUSED'],
  ['..', 'FS_PATH_REFUSED'],
  ['/etc/passwd', 'FS_PATH_REFUSED'],
  ['//etc/passwd', 'FS_PATH_REFUSED'],
  ['C:/windows', 'FS_PATH_REFUSED'],
  ['..\\outside\\secret.txt', 'FS_PATH_REFUSED'],
  ['\\\\server\\share', 'FS_PATH_REFUSED'],
  ['a.txt\0.png', 'FS_PATH_REFUSED'],
  ['a\n.txt', 'FS_PATH_REFUSED'],
  ['long/'.repeat(1_000), 'FS_PATH_REFUSED'],
  ['x'.repeat(256), 'FS_PATH_REFUSED'],
  ['%2e%2e/outside/secret.txt', 'FS_NOT_FOUND'],
  ['..%2foutside%2fsecret.txt', 'FS_NOT_FOUND'],
  ['%252e%252e%252foutside', 'FS_NOT_FOUND'],
  ['．．/outside/secret.txt', 'FS_NOT_FOUND'],
  ['.../secret.txt', 'FS_NOT_FOUND'],
  ['~/secret.txt', 'FS_NOT_FOUND'],
  ['file:///etc/passwd', 'FS_NOT_FOUND'],
  ['link/secret.txt', 'FS_LINK'],
  ['sub/up/secret.txt', 'FS_LINK'],
  ['inner/b.txt', 'FS_LINK'],
  ['a.txt/b', 'FS_NOT_A_FOLDER'],
];

describe('a path', () => {
  it('is made of names below a root', () => {
    expect(['', '.', 'a', './a//b/.', 'a b/ü', '...'].map(namesOf)).toEqual([
      [],
      [],
      ['a'],
      ['a', 'b'],
      ['a b', 'ü'],
      ['...'],
    ]);
  });
});

describe('filesystem', () => {
  it('reads, lists and describes what is below its root', async () => {
    const { root } = await scene();
    const tool = await filesystem({ roots: root, bytesMax: 4, entriesMax: 5 });
    const ask = (args: Record<string, unknown>): Promise<unknown> => outcomeOf(tool, args);
    expect(await ask({ op: 'read', path: 'a.txt' })).toEqual({
      content: 'hell',
      encoding: 'utf8',
      bytes: 4,
      size: 5,
      truncated: true,
    });
    expect(await ask({ op: 'read', path: 'a.txt', offset: 4, encoding: 'base64' })).toMatchObject({
      content: 'bw==',
      truncated: false,
    });
    expect(await ask({ op: 'list', path: '' })).toEqual({
      entries: [
        { name: 'a.txt', kind: 'file' },
        { name: 'file-link', kind: 'link' },
        { name: 'inner', kind: 'link' },
        { name: 'link', kind: 'link' },
        { name: 'sub', kind: 'folder' },
      ],
      truncated: false,
    });
    expect(await ask({ op: 'stat', path: 'sub/b.txt' })).toMatchObject({ kind: 'file', bytes: 5 });
    expect(await ask({ op: 'stat', path: 'link' })).toMatchObject({ kind: 'link' });
  });

  it.each(NOWHERE)('does not read %.60j', async (where, code) => {
    const { root } = await scene();
    const tool = await filesystem({ roots: root });
    expect(await outcomeOf(tool, { op: 'read', path: where })).toBe(code);
    expect(await outcomeOf(tool, { op: 'list', path: where })).toBe(code);
  });

  it.each(NOWHERE)('writes, moves and deletes nothing outside by %.60j', async (where) => {
    const { root, outside } = await scene();
    const tool = await filesystem({ roots: root, write: true });
    for (const op of ['write', 'create', 'append', 'mkdir', 'delete', 'move']) {
      await outcomeOf(tool, { op, path: where, content: 'mine', to: 'taken' });
      await outcomeOf(tool, { op: 'move', path: 'a.txt', to: where });
    }
    expect(await readFile(path.join(outside, 'secret.txt'), 'utf8')).toBe(SECRET);
    expect(await readdir(outside)).toEqual(['secret.txt']);
    expect((await readdir(path.dirname(root))).toSorted()).toEqual([
      'outside',
      'root',
      'root-beside',
    ]);
  });

  it('follows no link at the end of a path', async () => {
    const { root, outside } = await scene();
    const tool = await filesystem({ roots: root, write: true });
    const ask = (args: Record<string, unknown>): Promise<unknown> =>
      outcomeOf(tool, { path: 'file-link', content: 'mine', ...args });
    expect(await ask({ op: 'read' })).toBe('FS_LINK');
    expect(await ask({ op: 'append' })).toBe('FS_LINK');
    expect(await ask({ op: 'create' })).toBe('FS_EXISTS');
    expect(await ask({ op: 'list', path: 'link' })).toBe('FS_LINK');
    // what is written takes the link's place
    expect(await ask({ op: 'write' })).toEqual({ bytes: 4 });
    expect((await lstat(path.join(root, 'file-link'))).isFile()).toBe(true);
    expect(await ask({ op: 'delete', path: 'link' })).toEqual({ done: true });
    expect(await readFile(path.join(outside, 'secret.txt'), 'utf8')).toBe(SECRET);
  });

  it.each(['not base64!!', 'YQ=', 'YQ=a', 'Y', 'YWJjZ', 'YQ===', 'é', '=', 'Y='])(
    'writes nothing where the content is no base64: %j',
    async (content) => {
      const { root } = await scene();
      const tool = await filesystem({ roots: root, write: true });
      for (const op of ['write', 'create', 'append']) {
        const at = op === 'create' ? 'new.txt' : 'a.txt';
        const args = { op, path: at, content, encoding: 'base64' };
        expect(await outcomeOf(tool, args)).toBe('FS_CONTENT_INVALID');
      }
      expect(await readFile(path.join(root, 'a.txt'), 'utf8')).toBe('hello');
      expect(await readdir(root)).not.toContain('new.txt');
    },
  );

  it.each([
    ['', ''],
    ['YQ==', 'a'],
    ['YQ', 'a'],
    ['YWJj\nZGU=\n', 'abcde'],
    ['Pz8/', '???'],
    ['Pz8_', '???'],
  ])('writes the bytes of base64: %j', async (content, written) => {
    const { root } = await scene();
    const tool = await filesystem({ roots: root, write: true });
    const args = { op: 'write', path: 'a.txt', content, encoding: 'base64' };
    expect(await outcomeOf(tool, args)).toEqual({ bytes: written.length });
    expect(await readFile(path.join(root, 'a.txt'), 'utf8')).toBe(written);
  });

  it('writes whole files, and keeps their mode', async () => {
    const { root } = await scene();
    const tool = await filesystem({ roots: root, write: true, bytesMax: 10 });
    const ask = (op: string, at: string, rest = {}): Promise<unknown> =>
      outcomeOf(tool, { op, path: at, ...rest });
    await writeFile(path.join(root, 'run.sh'), 'old', { mode: 0o755 });
    expect(await ask('write', 'run.sh', { content: 'new' })).toEqual({ bytes: 3 });
    expect((await stat(path.join(root, 'run.sh'))).mode & 0o777).toBe(0o755);
    expect(await ask('append', 'run.sh', { content: '!' })).toEqual({ bytes: 1 });
    expect(await readFile(path.join(root, 'run.sh'), 'utf8')).toBe('new!');
    expect(await ask('create', 'run.sh', { content: 'x' })).toBe('FS_EXISTS');
    expect(await ask('append', 'not-there', { content: 'x' })).toBe('FS_NOT_FOUND');
    expect(await ask('write', 'large', { content: 'x'.repeat(11) })).toBe('FS_TOO_LARGE');
    expect(await ask('write', 'sub', { content: 'x' })).toBe('FS_NOT_A_FILE');
    expect(await ask('write', 'none')).toBe('FS_PATH_REFUSED');
    expect(await ask('mkdir', 'made')).toEqual({ done: true });
    expect(await ask('mkdir', 'made')).toBe('FS_EXISTS');
    expect(await ask('move', 'run.sh', { to: 'made/run.sh' })).toEqual({ done: true });
    expect(await ask('move', 'a.txt', { to: 'made/run.sh' })).toBe('FS_EXISTS');
    expect(await ask('move', 'a.txt')).toBe('FS_PATH_REFUSED');
    expect(await ask('delete', 'made')).toBe('FS_NOT_EMPTY');
    expect(await ask('delete', '')).toBe('FS_PATH_REFUSED');
    expect(await ask('delete', 'made/run.sh')).toEqual({ done: true });
    expect(await ask('delete', 'made')).toEqual({ done: true });
    expect(await ask('list', 'made')).toBe('FS_NOT_FOUND');
  });

  it('offers only reading unless it may write', async () => {
    const { root } = await scene();
    const tool = await filesystem({ roots: root });
    expect(tool.input).toMatchObject({ properties: { op: { enum: ['read', 'list', 'stat'] } } });
    expect(tool.input).not.toHaveProperty('properties.content');
  });

  it('has several roots by name, and no way from one to the other', async () => {
    const { root, outside } = await scene();
    const tool = await filesystem({ roots: { notes: root, other: outside } });
    const ask = (op: string, at: string): Promise<unknown> => outcomeOf(tool, { op, path: at });
    expect(await ask('list', '')).toMatchObject({
      entries: [{ name: 'notes' }, { name: 'other' }],
    });
    expect(await ask('read', 'notes/a.txt')).toMatchObject({ content: 'hello' });
    expect(await ask('read', 'other/secret.txt')).toMatchObject({ content: SECRET });
    expect(await ask('read', 'notes/../other/secret.txt')).toBe('FS_PATH_REFUSED');
    expect(await ask('read', 'notes/link/secret.txt')).toBe('FS_LINK');
    expect(await ask('read', 'nothing/a.txt')).toBe('FS_NOT_FOUND');
    expect(await ask('read', '')).toBe('FS_PATH_REFUSED');
  });

  it('reads files only, and waits for no pipe', async () => {
    const { root } = await scene();
    execFileSync('mkfifo', [path.join(root, 'pipe')]);
    const tool = await filesystem({ roots: root, write: true });
    expect(await outcomeOf(tool, { op: 'read', path: 'pipe' })).toBe('FS_NOT_A_FILE');
    expect(await outcomeOf(tool, { op: 'append', path: 'pipe', content: 'x' })).toBe(
      'FS_NOT_A_FILE',
    );
    expect(await outcomeOf(tool, { op: 'read', path: 'sub' })).toBe('FS_NOT_A_FILE');
  });

  it('refuses a root that is not there, or no folder', async () => {
    const { root } = await scene();
    const wrong = { code: 'TOOL_INVALID' };
    await expect(filesystem({ roots: path.join(root, 'a.txt') })).rejects.toMatchObject(wrong);
    await expect(filesystem({ roots: { x: path.join(root, 'none') } })).rejects.toMatchObject(
      wrong,
    );
  });
});

describe.each([true, false])('an open folder, reached by its handle: %s', (byHandle) => {
  async function rootOf(folder: string): Promise<Root> {
    const root = await openRoot(folder);
    return { path: root.path, byHandle: byHandle && root.byHandle };
  }

  it.each(['link', 'sub/up', 'inner'])('is not reached through a link: %s', async (where) => {
    const { root } = await scene();
    await expect(openFolder(await rootOf(root), where.split('/'))).rejects.toMatchObject({
      code: 'FS_LINK',
    });
  });

  it('leads nowhere else when a link takes its place', async () => {
    const { root, outside } = await scene();
    const folder = await openFolder(await rootOf(root), ['sub']);
    await rename(path.join(root, 'sub'), path.join(root, 'moved'));
    await symlink(outside, path.join(root, 'sub'));
    const options = { offset: 0, bytesMax: 100, encoding: 'utf8' } as const;
    const outcomes = await Promise.allSettled([
      read({ folder, name: 'secret.txt' }, options),
      append({ folder, name: 'secret.txt' }, Buffer.from('mine')),
      create({ folder, name: 'new.txt' }, Buffer.from('mine')),
      replace({ folder, name: 'secret.txt' }, Buffer.from('mine')),
    ]);
    await folder.close();
    const read0 = outcomes[0];
    expect(read0.status).toBe('rejected');
    expect(outcomes[1].status).toBe('rejected');
    expect(await readFile(path.join(outside, 'secret.txt'), 'utf8')).toBe(SECRET);
  });

  it('gives no file that was put in the place of another', async () => {
    const { root, outside } = await scene();
    const folder = await openFolder(await rootOf(root), ['sub']);
    await rm(path.join(root, 'sub/b.txt'));
    await symlink(path.join(outside, 'secret.txt'), path.join(root, 'sub/b.txt'));
    const options = { offset: 0, bytesMax: 100, encoding: 'utf8' } as const;
    await expect(read({ folder, name: 'b.txt' }, options)).rejects.toMatchObject({ code: 'ELOOP' });
    await folder.close();
  });

  it('works when a folder is swapped with a link all the time', async () => {
    const { root, outside } = await scene();
    await mkdir(path.join(root, 'spare'));
    await writeFile(path.join(root, 'spare/secret.txt'), 'mine');
    const at = path.join(root, 'swapped');
    const start = await rootOf(root);
    const reading = { isOver: false };
    const swapping = (async () => {
      while (!reading.isOver) {
        await rename(path.join(root, 'spare'), at);
        await rename(at, path.join(root, 'spare'));
        await symlink(outside, at);
        await rm(at);
      }
    })();
    const seen = new Set<string>();
    const options = { offset: 0, bytesMax: 100, encoding: 'utf8' } as const;
    for (let round = 0; round < 300; round++) {
      try {
        const folder = await openFolder(start, ['swapped']);
        try {
          const { content } = (await read({ folder, name: 'secret.txt' }, options)) as {
            content: string;
          };
          seen.add(content);
        } finally {
          await folder.close();
        }
      } catch {
        // it was a link, or not there
      }
    }
    reading.isOver = true;
    await swapping;
    expect([...seen].filter((content) => content !== 'mine')).toEqual([]);
  });
});

const NO_MOUNT = (() => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root mounts a disk';
  return undefined;
})();
if (NO_MOUNT) process.stderr.write(`\nSKIPPED: a test with a full disk: ${NO_MOUNT}\n\n`);

it.skipIf(NO_MOUNT !== undefined)(
  'a full disk is an error of that op: no half of a file is left, and all is well once there is room',
  async (context) => {
    const disk = path.join(await temporaryFolder(), 'disk');
    await mkdir(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]);
    } catch {
      process.stderr.write('\nSKIPPED: a test with a full disk: mount is not permitted\n\n');
      context.skip();
    }
    onTestFinished(() => {
      execFileSync('umount', ['-l', disk]);
    });
    const tool = await filesystem({ roots: disk, write: true });
    const ask = (args: Record<string, unknown>): Promise<unknown> => outcomeOf(tool, args);
    const large = 'x'.repeat(100_000);
    expect(await ask({ op: 'write', path: 'a.txt', content: 'small' })).toEqual({ bytes: 5 });
    await expect(
      runTool(tool, { op: 'write', path: 'a.txt', content: large }),
    ).rejects.toMatchObject({
      code: 'FS_FULL',
      message: "'a.txt' cannot be written: the disk is full",
    });
    expect(await ask({ op: 'create', path: 'b.txt', content: large })).toBe('FS_FULL');
    expect(await ask({ op: 'append', path: 'a.txt', content: large })).toBe('FS_FULL');
    expect(await readdir(disk)).toEqual(['a.txt']);
    expect((await readFile(path.join(disk, 'a.txt'), 'utf8')).startsWith('small')).toBe(true);
    expect(await ask({ op: 'delete', path: 'a.txt' })).toEqual({ done: true });
    expect(await ask({ op: 'create', path: 'b.txt', content: 'room' })).toEqual({ bytes: 4 });
  },
);
