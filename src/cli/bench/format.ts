/** Figures for people. */

const MIB = 1_048_576;

/** 1,234,567; below 100 with as many digits as tell something. */
export function rate(value: number | undefined): string {
  if (value === undefined) return '–';
  return digits(value);
}

/** Milliseconds. */
export function ms(value: number | undefined): string {
  return value === undefined ? '–' : digits(value);
}

/** Three digits that count, and no fewer before the point. */
function digits(value: number): string {
  const places = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
  return value.toLocaleString('en', {
    minimumFractionDigits: places,
    maximumFractionDigits: places,
  });
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}

/** Of a share from 0 to 1. */
export function share(value: number | undefined): string {
  return value === undefined ? '–' : `${String(Math.round(value * 100))} %`;
}

export function spread(relative: number | undefined): string {
  return relative === undefined ? '–' : `± ${(relative * 100).toFixed(1)} %`;
}

/** Of percent, signed. */
export function change(percent: number | undefined): string {
  if (percent === undefined) return '–';
  const text = Math.abs(percent).toFixed(1);
  const sign = text === '0.0' ? '' : percent < 0 ? '−' : '+';
  return `${sign}${text} %`;
}

export function memory(bytes: number | undefined): string {
  return bytes === undefined ? '–' : `${(bytes / MIB).toFixed(bytes < 100 * MIB ? 1 : 0)} MiB`;
}

export function count(value: number, noun: string): string {
  return `${value.toLocaleString('en')} ${noun}${value === 1 ? '' : 's'}`;
}

export function duration(timeMs: number): string {
  if (timeMs < 1_000) return `${String(timeMs)} ms`;
  return timeMs < 120_000
    ? `${String(Math.round(timeMs / 100) / 10)} s`
    : `${String(Math.round(timeMs / 60_000))} min`;
}
