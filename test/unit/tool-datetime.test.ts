import { describe, expect, it } from 'vitest';

import { datetime } from '../../plugins/tool/builtin/datetime.ts';
import { outcomeOf } from '../support/tool-run.ts';

const ask = (args: Record<string, unknown>): Promise<unknown> => outcomeOf(datetime(), args);

describe('datetime', () => {
  it('converts between zones, over a change to summer time', async () => {
    const zone = 'Europe/Berlin';
    expect(await ask({ op: 'convert', time: '2026-03-29T00:59:00Z', zone })).toMatchObject({
      iso: '2026-03-29T01:59:00.000+01:00',
      isDaylightSaving: false,
    });
    expect(await ask({ op: 'convert', time: '2026-03-29T01:00:00Z', zone })).toEqual({
      iso: '2026-03-29T03:00:00.000+02:00',
      zone,
      offset: '+02:00',
      weekday: 'Sunday',
      isDaylightSaving: true,
      epochMs: Date.UTC(2026, 2, 29, 1),
    });
  });

  it('reads a time without an offset in the zone it is from', async () => {
    const time = '2026-07-01T12:00';
    const from = 'America/New_York';
    expect(await ask({ op: 'convert', time, from, zone: 'Asia/Tokyo' })).toMatchObject({
      iso: '2026-07-02T01:00:00.000+09:00',
    });
  });

  it('adds calendar units as calendars do', async () => {
    expect(await ask({ op: 'add', time: '2026-01-31', duration: 'P1M' })).toMatchObject({
      iso: '2026-02-28T00:00:00.000Z',
    });
    const args = { op: 'add', time: '2026-03-28T12:00', zone: 'Europe/Berlin' };
    expect(await ask({ ...args, duration: { days: 1 } })).toMatchObject({
      iso: '2026-03-29T12:00:00.000+02:00',
    });
    expect(await ask({ ...args, duration: { hours: 24 } })).toMatchObject({
      iso: '2026-03-29T13:00:00.000+02:00',
    });
  });

  it('tells the difference in the units asked for', async () => {
    const range = { op: 'diff', time: '2026-01-01', end: '2026-03-02' };
    expect(await ask(range)).toEqual({
      difference: { days: 60, hours: 0, minutes: 0, seconds: 0 },
      iso: 'P60D',
      seconds: 60 * 86_400,
    });
    expect(await ask({ ...range, units: ['months', 'days'] })).toMatchObject({
      difference: { months: 2, days: 1 },
    });
  });

  it('tells the time now, and formats it', async () => {
    const now = (await ask({ op: 'now', zone: 'Asia/Kolkata' })) as { iso: string };
    expect(Math.abs(Date.parse(now.iso) - Date.now())).toBeLessThan(60_000);
    expect(now.iso).toMatch(/\+05:30$/);
    const time = '2026-03-01T09:05:00Z';
    expect(await ask({ op: 'format', time, format: 'yyyy-MM-dd HH:mm' })).toEqual({
      text: '2026-03-01 09:05',
    });
    expect(await ask({ op: 'format', time, format: 'cccc', locale: 'de-DE' })).toEqual({
      text: 'Sonntag',
    });
  });

  it.each<[Record<string, unknown>, string]>([
    [{ op: 'now', zone: 'Mars/Olympus' }, 'DATETIME_ZONE'],
    [{ op: 'now', zone: '../../etc/passwd' }, 'DATETIME_ZONE'],
    [{ op: 'convert', time: '2026-13-01' }, 'DATETIME_INVALID'],
    [{ op: 'convert', time: '2026-02-30' }, 'DATETIME_INVALID'],
    [{ op: 'convert', time: 'yesterday' }, 'DATETIME_INVALID'],
    [{ op: 'add', time: '2026-01-01' }, 'DATETIME_INVALID'],
    [{ op: 'add', time: '2026-01-01', duration: 'a while' }, 'DATETIME_INVALID'],
    [{ op: 'add', time: '2026-01-01', duration: { years: 1e9 } }, 'DATETIME_INVALID'],
    [{ op: 'diff', time: '2026-01-01' }, 'DATETIME_INVALID'],
    [{ op: 'format', time: '2026-01-01', locale: 'no locale' }, 'DATETIME_INVALID'],
  ])('refuses %j', async (args, code) => {
    expect(await ask(args)).toBe(code);
  });
});
