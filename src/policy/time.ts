/** Timestamps and durations in nanoseconds, as the CEL specification bounds, reads and writes them. */
import { invalidDuration, invalidTimestamp, invalidZone, overflow } from './failure.ts';

const second = 1_000_000_000n;
const minTimestamp = -62_135_596_800n * second;
const maxTimestamp = 253_402_300_800n * second - 1n;
/** 292 years. */
export const maxDuration = 2n ** 63n - 1n;

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

const dayMs = 86_400_000;

let latest = 0n;
let latestMilliseconds = 0;

/** Keeps the latest, as an expression asks several things of one time and big integers are slow to divide. */
function millisecondsOf(nanoseconds: bigint): number {
  if (nanoseconds !== latest) {
    latestMilliseconds = Number(floorDivide(nanoseconds, 1_000_000n));
    latest = nanoseconds;
  }
  return latestMilliseconds;
}

/** What the clock on the wall shows at a time zone, in ms as if it were in UTC; the zone is `UTC`, an IANA name or `+05:30`. */
function wallClock(nanoseconds: bigint, zone: string): number {
  const milliseconds = millisecondsOf(nanoseconds);
  if (zone === 'UTC' || zone === '') return milliseconds;
  const fixed = /^([+-]?)(\d\d):(\d\d)$/.exec(zone);
  if (fixed !== null) {
    const minutes = Number(fixed[2]) * 60 + Number(fixed[3]);
    return milliseconds + (fixed[1] === '-' ? -minutes : minutes) * 60_000;
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
  return date.setUTCHours(Number(parts.hour), Number(parts.minute), Number(parts.second), modulo(milliseconds, 1000));
}

/** Never negative. `%` is slow beyond 32 bits. */
const modulo = (value: number, divisor: number): number => value - Math.floor(value / divisor) * divisor;

function dayOfYear(milliseconds: number): number {
  const start = new Date(milliseconds);
  start.setUTCMonth(0, 1);
  return Math.round((milliseconds - start.getTime()) / dayMs);
}

/** Of ms in UTC. What repeats every day or week needs no `Date`, which takes several times as long. */
const getters: Record<string, (milliseconds: number) => number> = {
  getFullYear: (milliseconds) => new Date(milliseconds).getUTCFullYear(),
  getMonth: (milliseconds) => new Date(milliseconds).getUTCMonth(),
  getDate: (milliseconds) => new Date(milliseconds).getUTCDate(),
  getDayOfMonth: (milliseconds) => new Date(milliseconds).getUTCDate() - 1,
  // The first day of 1970 was a Thursday.
  getDayOfWeek: (milliseconds) => modulo(Math.floor(milliseconds / dayMs) + 4, 7),
  getDayOfYear: dayOfYear,
  getHours: (milliseconds) => Math.floor(modulo(milliseconds, dayMs) / 3_600_000),
  getMinutes: (milliseconds) => Math.floor(modulo(milliseconds, 3_600_000) / 60_000),
  getSeconds: (milliseconds) => Math.floor(modulo(milliseconds, 60_000) / 1000),
  getMilliseconds: (milliseconds) => modulo(milliseconds, 1000),
};

/** To make one takes as long as all the rest of a getter. */
const smallIntegers: readonly bigint[] = Array.from({ length: 60 }, (_, value) => BigInt(value));

export const timestampGetters: ReadonlyMap<string, (nanoseconds: bigint, zone: string) => bigint> = new Map(
  Object.entries(getters).map(([name, get]) => [
    name,
    (nanoseconds, zone) => {
      const shown = get(wallClock(nanoseconds, zone));
      return smallIntegers[shown] ?? BigInt(shown);
    },
  ]),
);

/** Of a duration: whole hours, minutes, seconds; and the milliseconds within its second. */
export const durationGetters: ReadonlyMap<string, (nanoseconds: bigint) => bigint> = new Map([
  ['getHours', (nanoseconds: bigint) => nanoseconds / unitOf.h],
  ['getMinutes', (nanoseconds: bigint) => nanoseconds / unitOf.m],
  ['getSeconds', (nanoseconds: bigint) => nanoseconds / second],
  ['getMilliseconds', (nanoseconds: bigint) => (nanoseconds % second) / 1_000_000n],
]);
