/** None of the ways in which a plugin goes wrong is without a test. The rows: docs/supervision.md. */
import { expect, it } from 'vitest';

import { filesBelow, sourceOf } from '../support/sources.ts';

const ROWS = Array.from({ length: 36 }, (_, index) => index + 1);

it('every row of the list of failures has a test that is named after it', () => {
  const names = filesBelow('test/behaviour/failures').map(sourceOf).join('\n');
  const tested = new Set([...names.matchAll(/\brow (\d+)/g)].map(([, row]) => Number(row)));
  expect([...tested].toSorted((a, b) => a - b)).toEqual(ROWS);
});

it('and a line in the table of the docs', () => {
  const table = sourceOf('docs/supervision.md').split('## The 36 rows')[1] ?? '';
  const rows = [...table.matchAll(/^\| (\d+) \|/gm)].map(([, row]) => Number(row));
  expect(rows).toEqual(ROWS);
});
