/**
 * The main example: the Markdown files of `node_modules`, analysed once in one thread, once by
 * actors, and once by actors of which two fail. Composition only; the work is in analysis/, the
 * runs in runs/, what is shown in view/.
 */
import { relative } from 'node:path';

import { type Corpus, readCorpus } from './documents.ts';
import { watchMachine } from './machine.ts';
import { HELP, type Options, UsageError, readOptions } from './options.ts';
import { judge } from './outcome.ts';
import { runSingleThread } from './runs/single-thread.ts';
import { chooseView } from './view/choose-view.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const BYTES_IN_MB = 1_000_000;

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const isUsage = error instanceof UsageError;
  process.stderr.write(isUsage ? `${error.message}\nTry --help.\n` : `${describe(error)}\n`);
  process.exitCode = isUsage ? EXIT_USAGE : EXIT_FAILED;
}

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const corpus = await read(options);
  const view = chooseView(options.json, process.stdout);
  view.say(describeCorpus(corpus, options));
  const machineMeanwhile = watchMachine();
  const singleThread = runSingleThread(corpus.documents, view);
  // only now: the run in one thread is to be as fast as it would be without Troupe in its process
  const { runActors } = await import('./runs/actors.ts');
  const actors = await runActors(corpus.documents, view, { withFaults: false });
  const machine = machineMeanwhile();
  const withFaults = await runActors(corpus.documents, view, { withFaults: true });
  const outcome = judge(corpus, { singleThread, actors, withFaults }, machine);
  view.report(outcome);
  return outcome.ok ? 0 : EXIT_FAILED;
}

async function read({ from, limit }: Options): Promise<Corpus> {
  const corpus = await readCorpus(from, limit).catch((error: unknown) => {
    throw new Error(`Cannot read ${shown(from)}`, { cause: error });
  });
  if (corpus.documents.length > 0) return corpus;
  throw new Error(
    `No Markdown with text found below ${shown(from)}. ` +
      'Run `npm install` first, or name another folder with --from.',
  );
}

function describeCorpus(corpus: Corpus, { from }: Options): string {
  const { documents, files, emptyFiles, exactCopies, bytes } = corpus;
  const left = `left out: ${emptyFiles} empty, ${exactCopies} copied exactly`;
  const size = `${(bytes / BYTES_IN_MB).toFixed(1)} MB`;
  return `${documents.length} documents (${size}) of ${files} Markdown files in ${shown(from)}; ${left}`;
}

/** As the user would type it. */
function shown(folder: string): string {
  const path = relative(process.cwd(), folder);
  return path === '' ? '.' : path;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
