/** The report for people: the runs, the faults, what was found, what was lost. Pure. */
import type { Cluster } from '../analysis/clusters.ts';
import type { Machine } from '../machine.ts';
import type { Outcome } from '../outcome.ts';
import type { FaultReport } from '../runs/faults.ts';
import type { Paint } from './paint.ts';
import { wrap } from './wrap.ts';

const MS_IN_S = 1000;
const PERCENT = 100;
const CLUSTERS_SHOWN = 5;
const LABEL_CHARS = 12;
const RUN_CHARS = 24;
const OTHERS_SHARE_MAX = 0.1; // beyond it others took what the actors needed

export function reportLines(outcome: Outcome, width: number, paint: Paint): string[] {
  return [
    '',
    paint('title', 'Runs'),
    ...runLines(outcome, width),
    '',
    paint('title', 'Faults (in the last run only)'),
    ...outcome.faults.flatMap((fault) => faultLines(fault, width)),
    '',
    paint('title', 'Found'),
    ...foundLines(outcome, width),
    '',
    ...verdictLines(outcome, width, paint),
  ];
}

function runLines(
  { runs, ratio, ratioMax, resultsEqual, machine }: Outcome,
  width: number,
): string[] {
  const { singleThread, actors, withFaults } = runs;
  const actorCount = `${actors.plugins.length} actors`;
  const equal = resultsEqual ? 'results equal' : 'RESULTS DIFFER';
  return [
    runLine('one thread', singleThread.ms, ''),
    runLine(actorCount, actors.ms, `${ratio.toFixed(2)} times as fast, ${equal}`),
    runLine(`${actorCount} with faults`, withFaults.ms, `${equal}; not part of the ratio`),
    ...wrap(
      `Starting the actors took ${actors.startUpMs.toFixed(0)} ms and is not in these times. In one ` +
        `thread the work is ${shares(singleThread.stageMs)}: on ${machine.cores} cores that allows ` +
        `a ratio of ${ratioMax.toFixed(2)} at best.`,
      width,
      '  ',
    ),
    ...busyLines(machine, width),
  ];
}

function busyLines({ othersShare }: Machine, width: number): string[] {
  if (othersShare <= OTHERS_SHARE_MAX) return [];
  const share = `${Math.round(othersShare * PERCENT)} %`;
  const text = `Other programs took ${share} of the cores meanwhile: the ratio says little.`;
  return wrap(text, width, '  ');
}

function runLine(name: string, ms: number, remark: string): string {
  const time = `${(ms / MS_IN_S).toFixed(2)} s`;
  return `  ${name.padEnd(RUN_CHARS)}${time.padStart(8)}   ${remark}`.trimEnd();
}

function shares(stageMs: Readonly<Record<string, number>>): string {
  const total = Object.values(stageMs).reduce((sum, ms) => sum + ms, 0);
  return Object.entries(stageMs)
    .map(([stage, ms]) => `${stage} ${Math.round((ms / total) * PERCENT)} %`)
    .join(', ');
}

function faultLines(fault: FaultReport, width: number): string[] {
  const { plugin, reason, message, generation, call, back } = fault;
  const end = back
    ? `back as generation ${back.generation} after ${back.afterMs} ms`
    : 'DID NOT COME BACK';
  const parts = [`generation ${generation} died (${reason}: ${message})`, end, call];
  return labelled(plugin, parts.filter((part) => part !== undefined).join('; '), width);
}

function foundLines({ findings, corpus }: Outcome, width: number): string[] {
  const { tokens, headings, terms, phrases, keywords, languages, clusters } = findings;
  const copies = `${clusters.length} clusters of near-duplicates; ${corpus.exactCopies} exact, left out`;
  const shown = clusters.slice(0, CLUSTERS_SHOWN);
  const more = clusters.length - shown.length;
  const found: [label: string, text: string][] = [
    ['volume', `${tokens} words, ${headings} headings`],
    ['top terms', terms.map((term) => term.label).join(', ')],
    ['phrases', phrases.map((term) => term.label).join(', ')],
    ['topics', counted(keywords)],
    ['code blocks', counted(languages)],
    ['duplicates', copies],
    ...shown.map((cluster): [string, string] => ['', clusterText(cluster)]),
    ...(more > 0 ? [['', `and ${more} more`] satisfies [string, string]] : []),
  ];
  return found.flatMap(([label, text]) => labelled(label, text, width));
}

function counted(counts: readonly (readonly [name: string, count: number])[]): string {
  return counts.map(([name, count]) => `${name} ${count}`).join(', ');
}

function clusterText({ similarityMin, paths }: Cluster): string {
  return `${Math.round(similarityMin * PERCENT)} % alike: ${paths.join(', ')}`;
}

function verdictLines(
  { ok, documents, errors, resultsEqual }: Outcome,
  width: number,
  paint: Paint,
): string[] {
  const { in: given, out, lost } = documents;
  const sentence = `Documents in ${given}, documents out ${out}, lost ${lost.length}.`;
  const detail = resultsEqual
    ? 'All three runs gave the same results.'
    : 'The runs did not give the same results.';
  return [
    ...wrap(detail, width),
    paint(ok ? 'good' : 'bad', sentence),
    ...[...lost.map((path) => `lost: ${path}`), ...errors].flatMap((line) =>
      wrap(line, width, '  '),
    ),
  ];
}

function labelled(label: string, text: string, width: number): string[] {
  const indent = ' '.repeat(LABEL_CHARS + 2);
  const [first = '', ...rest] = wrap(text, width, indent);
  return [`  ${label.padEnd(LABEL_CHARS)}${first.trimStart()}`.trimEnd(), ...rest];
}
