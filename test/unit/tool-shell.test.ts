import { mkdir, readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';

import { describe, expect, it } from 'vitest';

import { shell } from '../../plugins/tool/builtin/shell.ts';
import type { ShellCommand, ShellOptions } from '../../plugins/tool/options.ts';
import { isAlive } from '../support/alive.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/files.ts';
import { outcomeOf, runTool } from '../support/tool-run.ts';

/** A command that tells what it was given, or does what its first argument says. */
const TELLER = `
  const [what, ...rest] = process.argv.slice(2);
  if (what === 'env') process.stdout.write(JSON.stringify(process.env));
  else if (what === 'cwd') process.stdout.write(process.cwd());
  else if (what === 'flood') for (;;) process.stdout.write('x'.repeat(1000));
  else if (what === 'fail') { process.stderr.write('no'); process.exitCode = 3; }
  else if (what === 'stdin') process.stdin.pipe(process.stdout);
  else if (what === 'family') {
    const { spawn } = await import('node:child_process');
    const { writeFileSync } = await import('node:fs');
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
    writeFileSync('family', JSON.stringify([process.pid, child.pid]));
    if (rest[0] === 'stay') setInterval(() => {}, 1000);
    else child.unref();
  }
  else process.stdout.write(JSON.stringify([what, ...rest]));
`;

async function teller(
  command: Partial<ShellCommand> = {},
  options: Partial<ShellOptions> = {},
): Promise<{
  run: (...args: string[]) => Promise<unknown>;
  cwd: string;
  tool: Awaited<ReturnType<typeof shell>>;
}> {
  const cwd = await temporaryFolder({ 'teller.mjs': TELLER, 'a.txt': 'hello', 'sub/b.txt': 'b' });
  const tool = await shell({
    cwd,
    commands: {
      tell: {
        program: process.execPath,
        arguments: [{ pattern: '[^]*', option: true }],
        ...command,
        prefix: [path.join(cwd, 'teller.mjs'), ...(command.prefix ?? [])],
      },
    },
    ...options,
  });
  const run = (...args: string[]): Promise<unknown> =>
    outcomeOf(tool, { command: 'tell', arguments: args });
  return { run, cwd, tool };
}

describe('shell', () => {
  it('gives a program its arguments as they are: there is no shell to read them', async () => {
    const { run } = await teller();
    const args = ['a b', '$HOME', '`id`', '$(id)', ';id', '|id', '&', '*', '"', "'", '\n', 'é', ''];
    expect(await run(...args)).toEqual({
      exitCode: 0,
      signal: null,
      stdout: JSON.stringify(args),
      stderr: '',
      truncated: false,
    });
  });

  it('runs it in its folder, with a fixed PATH and an otherwise empty environment', async () => {
    const { run, cwd } = await teller({}, { env: { MINE: '1' }, path: ['/usr/bin', '/bin'] });
    const { stdout } = (await run('env')) as { stdout: string };
    expect(JSON.parse(stdout)).toEqual({ PATH: '/usr/bin:/bin', MINE: '1' });
    expect(await run('cwd')).toMatchObject({ stdout: cwd });
    expect(await run('fail')).toMatchObject({ exitCode: 3, stderr: 'no' });
  });

  it('takes standard input only where a command may have it', async () => {
    const open = await teller({ stdin: true });
    const args = { command: 'tell', arguments: ['stdin'], stdin: 'hello' };
    expect(await runTool(open.tool, args)).toMatchObject({ stdout: 'hello' });
    const closed = await teller();
    expect(await outcomeOf(closed.tool, args)).toBe('SHELL_ARGUMENT_REFUSED');
  });

  it('ends what writes too much', async () => {
    const { run } = await teller({}, { outputBytesMax: 1_500 });
    expect(await run('flood')).toEqual({
      exitCode: null,
      signal: 'SIGKILL',
      stdout: 'x'.repeat(1_500),
      stderr: '',
      truncated: true,
    });
  });

  it.each([
    ['stay', 'TOOL_TIMEOUT'],
    ['leave', { exitCode: 0 }],
  ])('ends what it started, and what that started: %s', async (how, outcome) => {
    const { tool, cwd } = await teller();
    const controller = new AbortController();
    const reason = Object.assign(new Error('over'), { code: 'TOOL_TIMEOUT' });
    const args = { command: 'tell', arguments: ['family', how] };
    const running = outcomeOf(tool, args, { signal: controller.signal });
    const family = await eventually(
      async () => JSON.parse(await readFile(path.join(cwd, 'family'), 'utf8')) as number[],
    );
    if (how === 'stay') controller.abort(reason);
    expect([await running]).toMatchObject([outcome]);
    await eventually(() => !family.some(isAlive));
  });

  it('has nothing but its commands', async () => {
    const { tool } = await teller();
    for (const command of ['ls', 'sh', '/bin/sh', '../tell', 'tell;id', 'TELL', '__proto__']) {
      expect(await outcomeOf(tool, { command })).toBe('SHELL_COMMAND_REFUSED');
    }
  });
});

/** Rules as somebody would write them, and arguments that would make the program do something else. */
const ATTACKS: [command: string, rules: ShellCommand, fine: string[], refused: string[][]][] = [
  [
    'find',
    {
      arguments: [
        { path: true },
        { enum: ['-name', '-type', 'f', 'd'] },
        { pattern: String.raw`[\w*.]+` },
      ],
    },
    ['sub', '-type', 'f', '-name', '*.txt'],
    [
      ['.', '-exec', 'id', ';'],
      ['.', '-execdir', 'id', '+'],
      ['.', '-ok', 'id', ';'],
      ['.', '-delete'],
      ['.', '-fprintf', 'out', 'x'],
      ['/', '-name', 'x'],
      ['../', '-name', 'x'],
      ['-files0-from', 'list'],
    ],
  ],
  [
    'git',
    {
      prefix: ['log'],
      arguments: [{ enum: ['--oneline'] }, { pattern: '[a-z]+', max: 1 }],
      argumentsMax: 2,
    },
    ['--oneline', 'main'],
    [
      ['-c', 'core.pager=id'],
      ['-ccore.sshCommand=id'],
      ['--exec-path=.'],
      ['--upload-pack=id'],
      ['--output=/tmp/x'],
      ['--ext-diff'],
      ['ext::sh -c id'],
      ['main', 'other'],
      ['--oneline', '--oneline', 'main'],
    ],
  ],
  [
    'tar',
    { prefix: ['-tf'], arguments: [{ path: true, max: 1 }] },
    ['a.txt'],
    [
      ['a.txt', '--to-command=id'],
      ['--checkpoint=1', '--checkpoint-action=exec=id'],
      ['-I', 'id'],
      ['--use-compress-program=id'],
      ['a.txt', 'a.txt'],
      ['/etc/passwd'],
    ],
  ],
  [
    'sort',
    { arguments: [{ path: true }, { enum: ['-n', '-r'] }] },
    ['-n', 'a.txt'],
    [
      ['--output=a.txt'],
      ['-oa.txt'],
      ['-o', 'a.txt'],
      ['--compress-program=id'],
      ['-nr'],
      ['-T/tmp'],
    ],
  ],
  ['date', {}, [], [['--file=/etc/passwd'], ['-s', 'now'], ['+%s'], ['']]],
];

describe('the rules of a command', () => {
  it.each(ATTACKS)('let %s do what they say', async (_, rules, fine, refused) => {
    const { run } = await teller({ arguments: [], ...rules });
    expect(await run(...fine)).toMatchObject({ exitCode: 0 });
    for (const args of refused) expect(await run(...args)).toBe('SHELL_ARGUMENT_REFUSED');
  });

  it.each([
    ['a.txt', true],
    ['sub/b.txt', true],
    ['.', true],
    ['not/there/yet', true],
    ['', false],
    ['-a', false],
    ['/etc/passwd', false],
    ['..', false],
    ['sub/../../x', false],
    ['sub\\..\\..', false],
    ['link/secret', false],
    ['link', false],
    ['link/not-there', false],
    ['a\0b', false],
  ])('take %j as a path below the folder: %s', async (argument, isFine) => {
    const { run, cwd } = await teller({ arguments: [{ path: true }] });
    const outside = await temporaryFolder({ secret: 'x' });
    await symlink(outside, path.join(cwd, 'link'));
    await mkdir(path.join(cwd, '..x'), { recursive: true });
    expect((await run(argument)) !== 'SHELL_ARGUMENT_REFUSED').toBe(isFine);
  });

  it('match a pattern whole, and no option by it unless it says so', async () => {
    const { run } = await teller({
      arguments: [{ pattern: /A+|b/i }, { pattern: '--n=\\d+', option: true }],
    });
    const outcomes = await Promise.all(
      ['aaa', 'B', '--n=5', 'ab', 'a\nb', 'xa', '-a', '--n=5 '].map((argument) => run(argument)),
    );
    expect(outcomes.map((outcome) => outcome !== 'SHELL_ARGUMENT_REFUSED')).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  it('are refused where a program is not there, or the folder is none', async () => {
    const cwd = await temporaryFolder();
    const wrong = { code: 'TOOL_INVALID' };
    const commands = { 'not-a-program-at-all': {} };
    await expect(shell({ cwd, commands })).rejects.toMatchObject(wrong);
    await expect(shell({ cwd: path.join(cwd, 'x'), commands })).rejects.toMatchObject(wrong);
    const folder = { command: { program: cwd } };
    await expect(shell({ cwd, commands: folder })).rejects.toMatchObject(wrong);
  });
});
