/** docs/protocol.md names all that is said: a field, a kind or a verb that it lacks fails here. */
import { describe, expect, it } from 'vitest';

import { FLAG, KIND } from '../../src/protocol/frame.ts';
import { codeOf, sourceOf } from '../support/sources.ts';

const MESSAGES = codeOf('src/protocol/messages.ts');

const PAGE = sourceOf('docs/protocol.md').split('\n');

/** The rows of the table whose first column has this title. */
function tableOf(title: string): string[] {
  const rows = PAGE.slice(PAGE.findIndex((line) => line.startsWith(`| ${title} |`)));
  return rows.slice(2, rows.indexOf(''));
}

/** All names in back ticks of the first cell of each row. */
function named(rows: readonly string[]): string[] {
  return rows.flatMap((row) => {
    const [, first = ''] = row.split('|');
    return [...first.matchAll(/`([\w.]+)/g)].map(([, name]) => name ?? '');
  });
}

/** `3 failure`, from `| 3 | failure | …`. */
function numbered(rows: readonly string[]): Set<string> {
  return new Set(
    rows.map((row) =>
      row
        .split('|')
        .slice(1, 3)
        .map((cell) => cell.trim())
        .join(' '),
    ),
  );
}

function membersOf(name: string): string[] {
  const [, body = ''] = new RegExp(`interface ${name} \\{([^]*?)^\\}`, 'm').exec(MESSAGES) ?? [];
  return [...body.matchAll(/^ {2}(\w+)[?(:]/gm)].map(([, member]) => member ?? '');
}

describe('the page of the protocol', () => {
  it('has every kind of frame and every flag, with its number', () => {
    const kinds = Object.entries(KIND).map(([name, number]) => `${String(number)} ${name}`);
    const flags = Object.entries(FLAG).map(([name, bit]) => `${String(bit)} ${name}`);
    expect(numbered(tableOf('kind'))).toEqual(new Set(kinds));
    expect(numbered(tableOf('bit'))).toEqual(new Set(flags));
  });

  it('has every field of the boot data', () => {
    expect(named(tableOf('boot field')).toSorted()).toEqual(membersOf('BootData').toSorted());
  });

  it('has every verb of the control plane', () => {
    expect(named(tableOf('verb')).toSorted()).toEqual(membersOf('ActorControl').toSorted());
  });

  it('has every service of the kernel', () => {
    const asked = [...MESSAGES.matchAll(/op: '([\w.]+)'/g)].map(([, op]) => op ?? '');
    expect(named(tableOf('op')).toSorted()).toEqual(asked.toSorted());
  });
});
