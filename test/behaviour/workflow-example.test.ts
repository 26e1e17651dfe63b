import { expect, it } from 'vitest';

import { runWorkflow } from '../../examples/workflow/main.ts';

it('the workflow calls in parallel, decides, tries again, and passes a stream through', async () => {
  expect(await runWorkflow()).toEqual({
    short: { total: 4, way: 'measure', attempt: 1, result: 4 },
    long: { total: 11, way: 'flaky', attempt: 3, result: 'A LONG TEXT' },
    summary: 'Summary: one two three ',
    served: 3,
  });
});
