/** How figures are said to people. */
export type Unit = 'calls/s' | 'chunks/s' | 'jobs/s' | 'µs' | 'ms' | 'MiB';

export function said(value: number, unit: Unit): string {
  switch (unit) {
    case 'calls/s':
    case 'chunks/s':
      return value < 1_000 ? `${figure(value)}/s` : `${figure(value / 1_000)} k/s`;
    case 'jobs/s':
      return `${figure(value)}/s`;
    case 'µs':
      return value < 1_000 ? `${figure(value)} µs` : `${figure(value / 1_000)} ms`;
    case 'ms':
    case 'MiB':
      return `${figure(value)} ${unit}`;
  }
}

/** Three digits that count, or all before the point: 1,234 or 123 or 12.3 or 1.23. */
export function figure(value: number): string {
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** 2.35 ×, 0.98 ×, 12.3 ×. */
export function times(ratio: number): string {
  return `${figure(ratio)} ×`;
}
