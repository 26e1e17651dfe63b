/** `shell`: runs named programs with allowed arguments. There is no shell in it. */
import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import path from 'node:path';

import type { ToolDefinition } from 'troupe/plugin';

import { messageOf } from '../../coded-error.ts';
import type { ShellCommand, ShellOptions } from '../options.ts';
import { ToolError } from '../tool-error.ts';
import { commandRules, type CommandRules } from './shell-rules.ts';
import { run } from './shell-run.ts';

const PATH = ['/usr/local/bin', '/usr/bin', '/bin'];
const STDIN_CHARS_MAX = 1024 * 1024;

interface Command {
  program: string;
  prefix: readonly string[];
  rules: CommandRules;
  stdin: boolean;
}

interface Arguments {
  command: string;
  arguments?: string[];
  stdin?: string;
}

export async function shell({
  commands,
  cwd,
  env = {},
  path: folders = PATH,
  outputBytesMax = 64 * 1024,
}: ShellOptions): Promise<ToolDefinition> {
  const home = await folderOf(cwd);
  const prepared = new Map<string, Command>();
  for (const [name, command] of Object.entries(commands)) {
    prepared.set(name, {
      program: await programOf(name, command, folders),
      prefix: command.prefix ?? [],
      rules: commandRules(command, home),
      stdin: command.stdin ?? false,
    });
  }
  return {
    name: 'shell',
    description: descriptionOf(commands),
    input: {
      type: 'object',
      properties: {
        command: { enum: [...prepared.keys()] },
        arguments: { type: 'array', items: { type: 'string' }, default: [] },
        stdin: { type: 'string', maxLength: STDIN_CHARS_MAX, description: 'Standard input' },
      },
      required: ['command'],
      additionalProperties: false,
    },
    async execute(given, { signal }) {
      const { command: name, arguments: args = [], stdin } = given as Arguments;
      const command = prepared.get(name);
      if (!command) throw new ToolError('SHELL_COMMAND_REFUSED', `there is no command '${name}'`);
      if (stdin !== undefined && !command.stdin) {
        throw new ToolError('SHELL_ARGUMENT_REFUSED', `'${name}' may not be given standard input`);
      }
      await command.rules.check(args);
      return run({
        program: command.program,
        args: [...command.prefix, ...args],
        cwd: home,
        env: { PATH: folders.join(path.delimiter), ...env },
        stdin,
        outputBytesMax,
        signal,
      });
    },
  };
}

async function folderOf(cwd: string): Promise<string> {
  try {
    const real = await realpath(path.resolve(cwd));
    if ((await stat(real)).isDirectory()) return real;
  } catch (error) {
    throw invalid(`option "cwd" of shell cannot be used: ${messageOf(error)}`);
  }
  throw invalid('option "cwd" of shell is no folder');
}

async function programOf(
  name: string,
  { program }: ShellCommand,
  folders: readonly string[],
): Promise<string> {
  const candidates = program === undefined ? folders.map((at) => path.join(at, name)) : [program];
  for (const candidate of candidates) {
    try {
      await access(candidate, constants.X_OK);
      if ((await stat(candidate)).isFile()) return candidate;
    } catch {
      // the next one
    }
  }
  throw invalid(
    `command '${name}' of shell: there is no program ${candidates.join(', ')} that can be run`,
  );
}

function descriptionOf(commands: ShellOptions['commands']): string {
  const told = Object.entries(commands).map(([name, { description, arguments: rules = [] }]) => {
    const takes = rules.length === 0 ? 'no arguments' : `arguments: ${rules.map(shown).join(', ')}`;
    return `${name} (${description === undefined ? '' : `${description}; `}${takes})`;
  });
  return `Runs a command, without a shell: ${told.join('; ')}.`;
}

function shown(rule: NonNullable<ShellCommand['arguments']>[number]): string {
  if ('enum' in rule) return rule.enum.join(' | ');
  return 'path' in rule ? 'a path' : `/${String(rule.pattern).replaceAll(/^\/|\/\w*$/g, '')}/`;
}

function invalid(message: string): ToolError {
  return new ToolError('TOOL_INVALID', message);
}
