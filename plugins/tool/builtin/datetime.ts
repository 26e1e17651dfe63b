/** `datetime`: what time it is somewhere, and arithmetic with times, by IANA time zones. */
import { DateTime, Duration, IANAZone, type DurationLikeObject } from 'luxon';
import type { ToolDefinition } from 'troupe/plugin';

import { ToolError } from '../tool-error.ts';

const UNITS = ['years', 'months', 'weeks', 'days', 'hours', 'minutes', 'seconds'] as const;
const OPS = ['now', 'convert', 'add', 'diff', 'format'] as const;

interface Arguments {
  op: (typeof OPS)[number];
  time?: string;
  end?: string;
  zone?: string;
  from?: string;
  duration?: string | DurationLikeObject;
  units?: (typeof UNITS)[number][];
  format?: string;
  locale?: string;
}

const text = (description: string, maxLength = 200): Record<string, unknown> => ({
  type: 'string',
  minLength: 1,
  maxLength,
  description,
});

export function datetime(): ToolDefinition {
  return {
    name: 'datetime',
    description:
      'Dates and times with IANA time zones (Europe/Berlin). now: the time in a zone. convert: a ' +
      'time to a zone. add: a duration to a time. diff: between time and end. format: a time as text.',
    input: {
      type: 'object',
      properties: {
        op: { enum: OPS },
        time: text('ISO 8601 (2026-03-01T12:00); default now'),
        end: text('ISO 8601; for diff'),
        zone: text('IANA zone of the result; default UTC'),
        from: text('IANA zone of a time that has no offset; default that of zone'),
        duration: {
          description: 'For add: ISO 8601 (P1DT2H, -P1M) or numbers by unit',
          anyOf: [
            { type: 'string', maxLength: 100 },
            {
              type: 'object',
              properties: Object.fromEntries(UNITS.map((unit) => [unit, { type: 'number' }])),
              additionalProperties: false,
            },
          ],
        },
        units: { type: 'array', items: { enum: UNITS }, minItems: 1, maxItems: UNITS.length },
        format: text("For format: Luxon's tokens (yyyy-MM-dd HH:mm ZZZZ); default a full text"),
        locale: text('For format: BCP 47 (de-DE); default en-US', 35),
      },
      required: ['op'],
      additionalProperties: false,
    },
    execute: (args) => answer(args as Arguments),
  };
}

function answer(args: Arguments): Record<string, unknown> {
  const zone = zoneOf(args.zone ?? 'UTC');
  const time = timeOf(args.time, args.from ?? zone).setZone(zone);
  switch (args.op) {
    case 'now':
      return shown(timeOf(undefined, zone));
    case 'convert':
      return shown(time);
    case 'add':
      return shown(time.plus(durationOf(args.duration)));
    case 'diff': {
      if (args.end === undefined) throw wrong("op 'diff' needs 'end'");
      const end = timeOf(args.end, args.from ?? zone).setZone(zone);
      const units = args.units ?? ['days', 'hours', 'minutes', 'seconds'];
      const difference = end.diff(time, units);
      return {
        difference: difference.toObject(),
        iso: difference.toISO(),
        seconds: (end.toMillis() - time.toMillis()) / 1_000,
      };
    }
    case 'format':
      return { text: format(time, args) };
  }
}

function format(time: DateTime, { format, locale = 'en-US' }: Arguments): string {
  try {
    const there = time.setLocale(Intl.getCanonicalLocales(locale)[0] ?? 'en-US');
    return format === undefined
      ? there.toLocaleString(DateTime.DATETIME_HUGE)
      : there.toFormat(format);
  } catch {
    throw wrong(`'${locale}' is no locale`);
  }
}

function shown(time: DateTime): Record<string, unknown> {
  if (!time.isValid) throw wrong('the result is not a time that can be told');
  return {
    iso: time.toISO(),
    zone: time.zoneName,
    offset: time.toFormat('ZZ'),
    weekday: time.setLocale('en-US').toFormat('cccc'),
    isDaylightSaving: time.isInDST,
    epochMs: time.toMillis(),
  };
}

function timeOf(iso: string | undefined, from: string): DateTime {
  const zone = zoneOf(from);
  if (iso === undefined || iso === 'now') return DateTime.now().setZone(zone);
  const time = DateTime.fromISO(iso, { zone });
  if (time.isValid) return time;
  throw wrong(`'${iso}' is no ISO 8601 time: ${time.invalidExplanation ?? 'it cannot be read'}`);
}

function zoneOf(name: string): string {
  if (name.toUpperCase() === 'UTC' || IANAZone.isValidZone(name)) return name;
  throw new ToolError('DATETIME_ZONE', `'${name}' is no IANA time zone, as Europe/Berlin is`);
}

function durationOf(given: Arguments['duration']): Duration {
  if (given === undefined) throw wrong("op 'add' needs 'duration'");
  const duration = typeof given === 'string' ? Duration.fromISO(given) : Duration.fromObject(given);
  if (duration.isValid) return duration;
  throw wrong(`${JSON.stringify(given)} is no ISO 8601 duration, as P1DT2H is`);
}

function wrong(message: string): ToolError {
  return new ToolError('DATETIME_INVALID', message);
}
