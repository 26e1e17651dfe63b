/** From the words of a command line to a command, and from what comes of it to an exit code. */
import process from 'node:process';

import { runCommand, type ArgsDef, type CommandMeta, type SubCommandsDef } from 'citty';

import { checkArguments } from './check-arguments.ts';
import { CliError, usageError } from './cli-error.ts';
import { renderHelp } from './help.ts';
import { nearest } from './nearest.ts';
import { note, paintFor, print, toleratePipesThatClose, widthOf } from './terminal.ts';
import { troupeVersion } from './version.ts';

/**
 * One file each. It holds the definition alone and imports what does the work when it runs, so that
 * help is there at once. `run` returns the exit code.
 */
const COMMANDS = {
  bench: async () => (await import('./commands/bench.ts')).bench,
} satisfies SubCommandsDef;

const ROOT_ARGS: ArgsDef = { version: { type: 'boolean', description: 'shows the version' } };

/** Never throws, and never ends the process. */
export async function main(argv: readonly string[]): Promise<number> {
  toleratePipesThatClose();
  try {
    return await dispatch(argv);
  } catch (error) {
    const paint = paintFor(process.stderr);
    const isOurFault = !(error instanceof CliError);
    const text = isOurFault && error instanceof Error ? error.stack : undefined;
    note(
      `${paint('red', 'troupe:')} ${text ?? (error instanceof Error ? error.message : String(error))}`,
    );
    return isOurFault ? 1 : error.exitCode;
  }
}

async function dispatch(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined) {
    note(await rootHelp(process.stderr));
    return 2;
  }
  if (name === '--help' || name === '-h') return printed(await rootHelp(process.stdout));
  if (name === '--version' || name === '-v') return printed(troupeVersion());
  if (name.startsWith('-')) {
    checkArguments([name], ROOT_ARGS);
    throw usageError(`${name} stands alone; see troupe --help`);
  }
  if (!isCommand(name)) {
    const close = nearest(name, Object.keys(COMMANDS));
    const hint = close ? `did you mean ${close}?` : 'see troupe --help';
    throw usageError(`unknown command ${name}; ${hint}`);
  }
  return perform(name, rest);
}

async function perform(name: keyof typeof COMMANDS, rawArgs: string[]): Promise<number> {
  const command = await COMMANDS[name]();
  const args: ArgsDef = await valueOf(command.args ?? {});
  const options = rawArgs.includes('--') ? rawArgs.slice(0, rawArgs.indexOf('--')) : rawArgs;
  if (options.includes('--help') || options.includes('-h')) {
    const meta = await metaOf(name);
    const usage = Object.keys(args).flatMap((arg) =>
      args[arg]?.type === 'positional' ? `<${arg}>` : [],
    );
    const page = {
      name: `troupe ${name}`,
      description: meta.description ?? '',
      usage: [...usage, '[options]'].join(' '),
      args,
    };
    return printed(renderHelp(page, widthOf(process.stdout), paintFor(process.stdout)));
  }
  try {
    checkArguments(rawArgs, args);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    throw usageError(`${error.message}\nSee troupe ${name} --help.`);
  }
  const { result } = await runCommand(command, { rawArgs });
  return typeof result === 'number' ? result : 0;
}

async function rootHelp(stream: NodeJS.WriteStream): Promise<string> {
  const commands = await Promise.all(
    Object.keys(COMMANDS)
      .filter(isCommand)
      .map(async (name) => {
        const { description = '' } = await metaOf(name);
        return { name, description: description.split('\n')[0] ?? '' };
      }),
  );
  const page = {
    name: 'troupe',
    description: 'A plugin runtime for Node.js: every plugin is an actor in a thread of its own.',
    usage: '<command> [options]',
    args: ROOT_ARGS,
    commands,
    footer: 'troupe <command> --help shows the options of a command.',
  };
  return renderHelp(page, widthOf(stream), paintFor(stream));
}

async function metaOf(name: keyof typeof COMMANDS): Promise<CommandMeta> {
  return valueOf((await COMMANDS[name]()).meta ?? {});
}

function isCommand(name: string): name is keyof typeof COMMANDS {
  return Object.hasOwn(COMMANDS, name);
}

function printed(text: string): number {
  print(text);
  return 0;
}

async function valueOf<T extends object>(
  value: T | Promise<T> | (() => T | Promise<T>),
): Promise<T> {
  return typeof value === 'function' ? value() : value;
}
