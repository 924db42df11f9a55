import { describe, expect, test } from 'vitest';
import { inCronSpan, parseCronSpan } from '../../../src/policy/turnkey/cron-span.ts';

function active(cron: string, duration: string, zone: string, time: string): boolean {
  const span = parseCronSpan(cron, duration, zone);
  if ('argument' in span) throw new Error(span.message);
  return inCronSpan(span, BigInt(Date.parse(time)) * 1_000_000n);
}

describe('windows', () => {
  test.each([
    // New York is at -5 in winter and at -4 in summer.
    ['0 9 * * 1-5', '8h', 'America/New_York', '2026-01-05T13:59:59.999Z', false],
    ['0 9 * * 1-5', '8h', 'America/New_York', '2026-01-05T14:00:00Z', true],
    ['0 9 * * 1-5', '8h', 'America/New_York', '2026-01-05T21:59:59.999Z', true],
    ['0 9 * * 1-5', '8h', 'America/New_York', '2026-01-05T22:00:00Z', false],
    ['0 9 * * 1-5', '8h', 'America/New_York', '2026-07-06T13:00:00Z', true],
    ['0 9 * * 1-5', '8h', 'America/New_York', '2026-07-06T21:00:00Z', false],
    // A Saturday; and a window that began the day before.
    ['0 9 * * 1-5', '8h', 'America/New_York', '2026-01-03T15:00:00Z', false],
    ['0 22 * * *', '8h', 'America/New_York', '2026-01-04T10:00:00Z', true],
    ['0 22 * * *', '8h', 'America/New_York', '2026-01-04T11:00:00Z', false],
    // Day of month or day of week where both are restricted: 2026-02-13 is a Friday.
    ['0 0 13 * 1', '1d', 'UTC', '2026-02-13T12:00:00Z', true],
    ['0 0 13 * 1', '1d', 'UTC', '2026-02-16T12:00:00Z', true],
    ['0 0 13 * 1', '1d', 'UTC', '2026-02-17T12:00:00Z', false],
    ['0 0 13 * *', '1d', 'UTC', '2026-02-16T12:00:00Z', false],
    ['30 10 1,15 3-4 *', '90m', 'UTC', '2026-04-15T11:59:59Z', true],
    ['30 10 1,15 3-4 *', '90m', 'UTC', '2026-05-15T11:00:00Z', false],
    // Seven days, the longest.
    ['0 0 * * 0', '7d', 'UTC', '2026-02-14T23:59:59Z', true],
    // Half-hour zones.
    ['0 9 * * *', '1m', 'Asia/Kolkata', '2026-02-14T03:30:59Z', true],
    ['0 9 * * *', '1m', 'Asia/Kolkata', '2026-02-14T03:31:00Z', false],
    // Clocks go from 02:00 to 03:00 on 2026-03-08: 02:30 does not fire; the window of 01:30 is two hours of elapsed time.
    ['30 2 * * *', '10m', 'America/New_York', '2026-03-08T06:35:00Z', false],
    ['30 2 * * *', '10m', 'America/New_York', '2026-03-08T07:35:00Z', false],
    ['30 1 * * *', '2h', 'America/New_York', '2026-03-08T08:29:00Z', true],
    ['30 1 * * *', '2h', 'America/New_York', '2026-03-08T08:30:00Z', false],
    // And back from 02:00 to 01:00 on 2026-11-01: 01:30 fires twice.
    ['30 1 * * *', '10m', 'America/New_York', '2026-11-01T05:35:00Z', true],
    ['30 1 * * *', '10m', 'America/New_York', '2026-11-01T06:35:00Z', true],
    ['30 1 * * *', '10m', 'America/New_York', '2026-11-01T06:40:00Z', false],
  ])('%s for %s in %s at %s: %s', (cron, duration, zone, time, expected) => {
    expect(active(cron, duration, zone, time)).toBe(expected);
  });

  test('agree with going through every minute, over a clock change', () => {
    const local = new Intl.DateTimeFormat('en-US', {
      timeZone: 'Europe/Berlin',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    const start = Date.parse('2026-03-28T20:00:00Z');
    const fires = Array.from({ length: 60 * 30 }, (_, index) => start + index * 60_000).filter((time) =>
      ['02:15', '03:15', '12:15'].includes(local.format(time)),
    );
    for (let minute = 300; minute < 60 * 30; minute += 7) {
      const now = start + minute * 60_000 + 31_000;
      const expected = fires.some((fire) => fire <= now && now < fire + 5 * 3_600_000);
      expect(active('15 2,3,12 * * *', '5h', 'Europe/Berlin', new Date(now).toISOString())).toBe(expected);
    }
  });
});

test.each([
  ['0 9 * *', '8h', 'UTC', 0],
  ['0 9 * * 7', '8h', 'UTC', 0],
  ['*/5 * * * *', '8h', 'UTC', 0],
  ['0 9 * * MON', '8h', 'UTC', 0],
  ['@daily', '8h', 'UTC', 0],
  ['0 24 * * *', '8h', 'UTC', 0],
  ['0 9-8 * * *', '8h', 'UTC', 0],
  ['0 9 * * *', '0h', 'UTC', 1],
  ['0 9 * * *', '', 'UTC', 1],
  ['0 9 * * *', '30s', 'UTC', 1],
  ['0 9 * * *', '1.5h', 'UTC', 1],
  ['0 9 * * *', '7d1m', 'UTC', 1],
  ['0 9 * * *', '8h', 'Mars/Olympus', 2],
  ['0 9 * * *', '8h', '+05:30', 2],
  ['0 9 * * *', '8h', '', 2],
])('refused: %s, %s, %s', (cron, duration, zone, argument) => {
  expect(parseCronSpan(cron, duration, zone)).toMatchObject({ argument, message: expect.any(String) });
});
