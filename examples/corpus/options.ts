/** The command line of the example. Reads arguments, never acts on them. */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export const HELP = `Reads every Markdown file below a folder, analyses all of them in one thread, then as actors,
then as actors with two faults, and compares times and results.

Usage: npm start -- [options]

  --from <folder>  where to look for Markdown      (default: this repository's node_modules)
  --limit <n>      take only the first n documents (default: all)
  --json           one JSON document on stdout, and nothing else (with npm: npm start -s -- --json)
  --help           this text

Exit code: 0 all well; 1 a document lost, results that differ, a plugin that did not come
back, or no Markdown found; 2 wrong usage.
`;

export interface Options {
  readonly from: string;
  readonly limit: number;
  readonly json: boolean;
  readonly help: boolean;
}

export class UsageError extends Error {}

/** Throws a `UsageError` that says what is wrong with the arguments. */
export function readOptions(args: readonly string[]): Options {
  const { from, limit, json, help } = parse(args);
  const documentsMax = limit === undefined ? Infinity : Number(limit);
  if (limit !== undefined && !(Number.isInteger(documentsMax) && documentsMax > 0)) {
    throw new UsageError(`--limit takes a whole number above 0, not '${limit}'`);
  }
  return {
    from: from ?? fileURLToPath(new URL('../../node_modules', import.meta.url)),
    limit: documentsMax,
    json: json ?? false,
    help: help ?? false,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        from: { type: 'string' },
        limit: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
