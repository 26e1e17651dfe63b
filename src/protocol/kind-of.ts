/** For messages: a number or null as it is, of anything else what it is. */
export function kindOf(value: unknown): string {
  return value === null || typeof value === 'number' ? String(value) : `a ${typeof value}`;
}
