/** Which arguments a command may be given. What no rule allows is refused. */
import { realpath } from 'node:fs/promises';
import path from 'node:path';

import type { ShellArgument, ShellCommand } from '../options.ts';
import { ToolError } from '../tool-error.ts';

const ARGUMENTS_MAX = 16;
const ARGUMENT_CHARS_MAX = 4_096;

interface Rule {
  allows(argument: string): boolean | Promise<boolean>;
  max: number;
}

export interface CommandRules {
  /** @throws ToolError `SHELL_ARGUMENT_REFUSED` that names the argument. */
  check(args: readonly string[]): Promise<void>;
}

/** @param cwd with its links resolved: what paths are to stay below. */
export function commandRules(
  { arguments: rules = [], argumentsMax = ARGUMENTS_MAX }: ShellCommand,
  cwd: string,
): CommandRules {
  const made = rules.map((rule) => ruleOf(rule, cwd));
  return {
    async check(args) {
      if (args.length > argumentsMax) {
        throw refused(`at most ${String(argumentsMax)} arguments are allowed`);
      }
      const used = new Map<Rule, number>();
      for (const argument of args) {
        checkText(argument);
        const rule = await ruleFor(argument, made, used);
        if (!rule) throw refused(`the argument '${argument.slice(0, 200)}' is not allowed`);
        used.set(rule, (used.get(rule) ?? 0) + 1);
      }
    },
  };
}

async function ruleFor(
  argument: string,
  rules: readonly Rule[],
  used: ReadonlyMap<Rule, number>,
): Promise<Rule | undefined> {
  for (const rule of rules) {
    if ((used.get(rule) ?? 0) < rule.max && (await rule.allows(argument))) return rule;
  }
  return undefined;
}

function ruleOf(rule: ShellArgument, cwd: string): Rule {
  const { max = Infinity } = rule;
  if ('enum' in rule) return { max, allows: (argument) => rule.enum.includes(argument) };
  if ('path' in rule) return { max, allows: (argument) => isBelow(argument, cwd) };
  const { pattern, option = false } = rule;
  const [source, flags] =
    typeof pattern === 'string' ? [pattern, 'u'] : [pattern.source, pattern.flags];
  // the whole argument, not a line of it
  const whole = new RegExp(`^(?:${source})$`, flags.replaceAll(/[gmy]/g, ''));
  return {
    max,
    allows: (argument) => (option || !argument.startsWith('-')) && whole.test(argument),
  };
}

/** There already or not, it stays below the folder when its links are followed. */
async function isBelow(argument: string, cwd: string): Promise<boolean> {
  const isPlain = argument !== '' && !argument.startsWith('-') && !path.isAbsolute(argument);
  if (!isPlain || argument.split(/[/\\]/).includes('..')) return false;
  let there = path.join(cwd, argument);
  for (;;) {
    const real = await realpath(there).catch((error: unknown) =>
      error instanceof Error && 'code' in error && error.code === 'ENOENT' ? undefined : '',
    );
    if (real !== undefined) return real === cwd || real.startsWith(`${cwd}${path.sep}`);
    if (there === cwd) return false;
    there = path.dirname(there);
  }
}

function checkText(argument: string): void {
  if (argument.includes('\0')) throw refused('an argument has a NUL in it');
  if (argument.length > ARGUMENT_CHARS_MAX) {
    throw refused(`an argument has more than ${String(ARGUMENT_CHARS_MAX)} characters`);
  }
}

function refused(message: string): ToolError {
  return new ToolError('SHELL_ARGUMENT_REFUSED', message);
}
