/** Timestamps and durations in nanoseconds, as the CEL specification bounds, reads and writes them. */
import { invalidDuration, invalidTimestamp, invalidZone, overflow } from './failure.ts';

const second = 1_000_000_000n;
const minTimestamp = -62_135_596_800n * second;
const maxTimestamp = 253_402_300_800n * second - 1n;
const maxDuration = 2n ** 63n - 1n;

export function checkTimestamp(nanoseconds: bigint): bigint {
  if (nanoseconds < minTimestamp || nanoseconds > maxTimestamp) throw overflow;
  return nanoseconds;
}

export function checkDuration(nanoseconds: bigint): bigint {
  if (nanoseconds < -maxDuration - 1n || nanoseconds > maxDuration) throw overflow;
  return nanoseconds;
}

const timestamp =
  /^(\d{4})-(\d\d)-(\d\d)[Tt]([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

/** RFC 3339. */
export function parseTimestamp(text: string): bigint {
  const match = timestamp.exec(text);
  if (match === null) throw invalidTimestamp;
  const [, year, month, day, hours, minutes, seconds, fraction = '', sign, zoneHours = '0', zoneMinutes = '0'] = match;
  const date = new Date(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}Z`);
  if (Number.isNaN(date.getTime()) || date.getUTCDate() !== Number(day)) throw invalidTimestamp;
  const offset = (Number(zoneHours) * 60 + Number(zoneMinutes)) * (sign === '-' ? -60 : 60);
  const whole = BigInt(date.getTime() / 1000 - offset) * second;
  return checkTimestamp(whole + BigInt(fraction.padEnd(9, '0')));
}

const floorDivide = (a: bigint, b: bigint): bigint => (a >= 0n ? a / b : -((-a + b - 1n) / b));

export const timestampSeconds = (nanoseconds: bigint): bigint => floorDivide(nanoseconds, second);

export function formatTimestamp(nanoseconds: bigint): string {
  const seconds = timestampSeconds(nanoseconds);
  const fraction = (nanoseconds - seconds * second).toString().padStart(9, '0').replace(/0+$/, '');
  const text = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${text}${fraction === '' ? '' : `.${fraction}`}Z`;
}

const unitOf = { h: 3600n * second, m: 60n * second, s: second, ms: 1_000_000n, us: 1000n, µs: 1000n, ns: 1n } as const;

/** `1h30m`, `-1.5h`, `0`. */
export function parseDuration(text: string): bigint {
  const match =
    /^([+-]?)((?:\d{1,20}(?:\.\d{0,20})?(?:h|ms|m|s|us|µs|ns)|\.\d{1,20}(?:h|ms|m|s|us|µs|ns)){1,16}|0)$/.exec(text);
  if (match === null) throw invalidDuration;
  let total = 0n;
  for (const [, whole = '', fraction = '', unit] of (match[2] ?? '').matchAll(/(\d*)\.?(\d*)(h|ms|m|s|us|µs|ns)/g)) {
    const scale = 10n ** BigInt(fraction.length);
    total += (BigInt(`${whole}${fraction}`) * unitOf[unit as keyof typeof unitOf]) / scale;
  }
  return checkDuration(match[1] === '-' ? -total : total);
}

export function formatDuration(nanoseconds: bigint): string {
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  const fraction = (size % second).toString().padStart(9, '0').replace(/0+$/, '');
  return `${nanoseconds < 0n ? '-' : ''}${size / second}${fraction === '' ? '' : `.${fraction}`}s`;
}

const zones = new Map<string, Intl.DateTimeFormat>();

function zoneFormat(zone: string): Intl.DateTimeFormat {
  const known = zones.get(zone);
  if (known !== undefined) return known;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    throw invalidZone;
  }
  if (zones.size < 64) zones.set(zone, format);
  return format;
}

/** The wall clock at a time zone as the UTC date that shows the same; the zone is `UTC`, an IANA name or `+05:30`. */
function wallClock(nanoseconds: bigint, zone: string): Date {
  const milliseconds = Number(floorDivide(nanoseconds, 1_000_000n));
  if (zone === 'UTC' || zone === '') return new Date(milliseconds);
  const fixed = /^([+-]?)(\d\d):(\d\d)$/.exec(zone);
  if (fixed !== null) {
    const minutes = Number(fixed[2]) * 60 + Number(fixed[3]);
    return new Date(milliseconds + (fixed[1] === '-' ? -minutes : minutes) * 60_000);
  }
  if (/^[+-]|^\d/.test(zone) || zone.length > 64) throw invalidZone;
  const parts = Object.fromEntries(
    zoneFormat(zone)
      .formatToParts(milliseconds)
      .map(({ type, value }) => [type, value]),
  );
  const year = parts.era === 'BC' ? 1 - Number(parts.year) : Number(parts.year);
  const date = new Date(0);
  date.setUTCFullYear(year, Number(parts.month) - 1, Number(parts.day));
  date.setUTCHours(
    Number(parts.hour),
    Number(parts.minute),
    Number(parts.second),
    ((milliseconds % 1000) + 1000) % 1000,
  );
  return date;
}

function dayOfYear(date: Date): number {
  const start = new Date(date);
  start.setUTCMonth(0, 1);
  return Math.round((date.getTime() - start.getTime()) / 86_400_000);
}

const getters: Record<string, (date: Date) => number> = {
  getFullYear: (date) => date.getUTCFullYear(),
  getMonth: (date) => date.getUTCMonth(),
  getDate: (date) => date.getUTCDate(),
  getDayOfMonth: (date) => date.getUTCDate() - 1,
  getDayOfWeek: (date) => date.getUTCDay(),
  getDayOfYear: dayOfYear,
  getHours: (date) => date.getUTCHours(),
  getMinutes: (date) => date.getUTCMinutes(),
  getSeconds: (date) => date.getUTCSeconds(),
  getMilliseconds: (date) => date.getUTCMilliseconds(),
};

export const timestampGetters: ReadonlyMap<string, (nanoseconds: bigint, zone: string) => bigint> = new Map(
  Object.entries(getters).map(([name, get]) => [
    name,
    (nanoseconds, zone) => BigInt(get(wallClock(nanoseconds, zone))),
  ]),
);

/** Of a duration: whole hours, minutes, seconds; and the milliseconds within its second. */
export const durationGetters: ReadonlyMap<string, (nanoseconds: bigint) => bigint> = new Map([
  ['getHours', (nanoseconds: bigint) => nanoseconds / unitOf.h],
  ['getMinutes', (nanoseconds: bigint) => nanoseconds / unitOf.m],
  ['getSeconds', (nanoseconds: bigint) => nanoseconds / second],
  ['getMilliseconds', (nanoseconds: bigint) => (nanoseconds % second) / 1_000_000n],
]);
