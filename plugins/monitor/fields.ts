/** Reads an object field by field: what is wrong, missing or unknown is refused by name. */
import type { MetricLabels } from 'troupe/plugin';

import { amongKnown } from '../input.ts';
import { MonitorError } from './monitor-error.ts';

const NAME = /^[A-Za-z_:][\w:]{0,255}$/;
const LABEL = /^[A-Za-z_]\w{0,255}$/;
const LABELS_MAX = 16;
const TEXT_CHARS_MAX = 4_096;
const DAY_MS = 86_400_000;

export class Fields {
  readonly #what: string;
  readonly #left: Map<string, unknown>;
  readonly #asked = new Set<string>();

  /** @param what names the object in errors: `the rule slow`. */
  constructor(value: unknown, what: string) {
    this.#what = what;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw wrong(`${what} must be an object`);
    }
    this.#left = new Map(Object.entries(value).filter(([, field]) => field !== undefined));
  }

  has(name: string): boolean {
    this.#asked.add(name);
    return this.#left.has(name);
  }

  take(name: string): unknown {
    const value = this.#left.get(name);
    this.#asked.add(name);
    this.#left.delete(name);
    return value;
  }

  fail(name: string, must: string): MonitorError {
    return wrong(`${this.#what}: "${name}" must be ${must}`);
  }

  text(name: string): string {
    const value = this.take(name);
    if (typeof value === 'string' && value !== '' && value.length <= TEXT_CHARS_MAX) return value;
    throw this.fail(name, `a text of 1 to ${String(TEXT_CHARS_MAX)} characters`);
  }

  metric(name: string): string {
    const value = this.take(name);
    if (typeof value === 'string' && NAME.test(value)) return value;
    throw this.fail(name, 'the name of a metric: up to 256 letters, digits, _ and :');
  }

  oneOf<T extends string>(name: string, values: readonly T[]): T {
    const value = this.take(name);
    const known = values.find((each) => each === value);
    if (known !== undefined) return known;
    throw this.fail(name, `one of ${values.join(', ')}`);
  }

  number(name: string, min = -Number.MAX_VALUE, max = Number.MAX_VALUE): number {
    const value = this.take(name);
    if (typeof value === 'number' && value >= min && value <= max) return value;
    const from = min === -Number.MAX_VALUE ? 'a finite number' : `a number from ${String(min)}`;
    throw this.fail(name, max === Number.MAX_VALUE ? from : `${from} to ${String(max)}`);
  }

  /** A length of time. */
  ms(name: string, min = 0, max = 366 * DAY_MS): number {
    return this.number(name, min, max);
  }

  integer(name: string, min: number, max: number): number {
    const value = this.number(name, min, max);
    if (Number.isInteger(value)) return value;
    throw this.fail(name, 'a whole number');
  }

  list(name: string, lengthMax: number): unknown[] {
    const value = this.take(name);
    if (Array.isArray(value) && value.length <= lengthMax) return value as unknown[];
    throw this.fail(name, `a list of ${String(lengthMax)} at most`);
  }

  /** `{}` where there is none. */
  labels(name: string): MetricLabels {
    const value = this.take(name) ?? {};
    const entries = typeof value === 'object' ? Object.entries(value) : [];
    if (typeof value === 'object' && entries.length <= LABELS_MAX && entries.every(isLabel)) {
      return { ...value };
    }
    throw this.fail(
      name,
      'up to 16 labels: names of letters, digits and _, with texts of up to 256 characters',
    );
  }

  /** What reads the field where it is there. */
  maybe<T>(name: string, read: (name: string) => T): T | undefined {
    return this.has(name) ? read(name) : undefined;
  }

  /** Refuses what was not asked for. */
  end(): void {
    const [unknown] = this.#left.keys();
    if (unknown === undefined) return;
    throw wrong(`${this.#what} has no field ${amongKnown(unknown, [...this.#asked])}`);
  }
}

function isLabel([name, text]: [string, unknown]): boolean {
  return LABEL.test(name) && typeof text === 'string' && text.length <= 256;
}

export function wrong(message: string): MonitorError {
  return new MonitorError('MONITOR_INVALID_INPUT', message);
}
