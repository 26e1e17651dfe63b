/** What zod found wrong, in the words of this package. */
import type { z } from 'zod';

/** Each problem with its place, in one line; `base` is the place of the value itself. */
export function problemsOf(error: z.ZodError, base = ''): string {
  return error.issues
    .map((issue) => {
      const at = [base, ...issue.path.map(String)].filter(Boolean).join('.');
      if (issue.code === 'unrecognized_keys') {
        const names = issue.keys.map((key) => `"${[at, key].filter(Boolean).join('.')}"`);
        return `there is no ${names.join(', ')}`;
      }
      return at === '' ? issue.message : `"${at}": ${issue.message}`;
    })
    .join('; ');
}
