/** What `--help` prints, from the definitions that citty parses by, wrapped to the terminal. */
import type { ArgDef, ArgsDef } from 'citty';

import type { Paint } from './terminal.ts';

export interface Page {
  name: string;
  description: string;
  /** What follows the name in the usage line. */
  usage: string;
  args: ArgsDef;
  commands?: readonly { name: string; description: string }[];
  footer?: string;
}

export function renderHelp(page: Page, width: number, paint: Paint): string {
  const all = Object.entries(page.args);
  const positionals = all.filter(([, { type }]) => type === 'positional');
  const options = all.filter(([, { type }]) => type !== 'positional');
  const sections = [
    section(
      '',
      positionals.map(([name, { description = '' }]) => [`<${name}>`, description]),
    ),
    section(
      'Commands',
      (page.commands ?? []).map((each) => [each.name, each.description]),
    ),
    section('Options', [
      ...options.map(([name, option]): Row => [labelOf(name, option), describe(option)]),
      ['--help', 'shows this'],
    ]),
  ].filter(({ rows }) => rows.length > 0);
  const column =
    Math.max(...sections.flatMap(({ rows }) => rows.map(([label]) => label.length))) + 4;
  const lines = [
    ...page.description.split('\n').flatMap((line) => wrap(line, width)),
    '',
    `${paint('bold', 'Usage:')} ${page.name} ${page.usage}`,
  ];
  for (const { title, rows } of sections) {
    lines.push('', ...(title ? [paint('bold', `${title}:`)] : []));
    lines.push(...rows.flatMap((row) => renderRow(row, column, width, paint)));
  }
  if (page.footer) lines.push('', ...page.footer.split('\n').flatMap((line) => wrap(line, width)));
  return lines.join('\n');
}

type Row = readonly [label: string, text: string];

function section(title: string, rows: readonly Row[]): { title: string; rows: readonly Row[] } {
  return { title, rows };
}

function labelOf(name: string, option: ArgDef): string {
  const value = option.valueHint === undefined ? '' : ` ${option.valueHint}`;
  return `--${name}${value}`;
}

function describe({ description = '', default: value }: ArgDef): string {
  return value === undefined || value === false ? description : `${description} [${String(value)}]`;
}

function renderRow([label, text]: Row, column: number, width: number, paint: Paint): string[] {
  const [first = '', ...rest] = wrap(text, width - column);
  const head = `  ${paint('cyan', label)}${' '.repeat(column - 2 - label.length)}${first}`;
  return [head.trimEnd(), ...rest.map((line) => ' '.repeat(column) + line)];
}

/** Breaks between words; what a line begins with is kept for those that follow. */
export function wrap(text: string, width: number): string[] {
  const indent = /^ */.exec(text)?.[0] ?? '';
  const lines: string[] = [];
  let line = indent;
  for (const word of text.trim().split(/ +/)) {
    const longer = line === indent ? indent + word : `${line} ${word}`;
    if (longer.length > width && line !== indent) {
      lines.push(line);
      line = indent + word;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}
