/**
 * `CronSpan(cron, duration, zone)` of Turnkey's time policies: windows [fire, fire + duration), where a fire is every minute
 * whose local time in the IANA zone matches the five fields. A local time that a clock change skips does not fire, one that it
 * repeats fires twice.
 */

export type CronSpan = {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** null for `*`; where both are restricted, either may match. */
  readonly daysOfMonth: ReadonlySet<number> | null;
  readonly daysOfWeek: ReadonlySet<number> | null;
  /** In minutes. */
  readonly duration: number;
  readonly zone: Intl.DateTimeFormat;
};

/** Which argument is wrong, and why. */
export type CronProblem = { readonly argument: 0 | 1 | 2; readonly message: string };

const fields = [
  ['minute', 0, 59],
  ['hour', 0, 23],
  ['day of month', 1, 31],
  ['month', 1, 12],
  ['day of week', 0, 6],
] as const;

const minutesOf: Readonly<Record<string, number>> = { d: 1440, h: 60, m: 1 };
const maxDuration = 7 * 1440;

export function parseCronSpan(cron: string, duration: string, zone: string): CronSpan | CronProblem {
  const words = cron.split(' ').filter((word) => word !== '');
  if (words.length !== fields.length) {
    return { argument: 0, message: 'expected five fields: minute hour day-of-month month day-of-week' };
  }
  const sets: Set<number>[] = [];
  for (const [index, word] of words.entries()) {
    const set = parseField(word, fields[index] ?? fields[0]);
    if (typeof set === 'string') return { argument: 0, message: set };
    sets.push(set);
  }
  const length = parseDuration(duration);
  if (typeof length === 'string') return { argument: 1, message: length };
  const formatter = findZone(zone);
  if (!formatter)
    return { argument: 2, message: `there is no time zone \`${zone.slice(0, 40)}\` in the IANA database` };
  const [minutes, hours, daysOfMonth, months, daysOfWeek] = sets as [
    Set<number>,
    Set<number>,
    Set<number>,
    Set<number>,
    Set<number>,
  ];
  return {
    minutes,
    hours,
    months,
    daysOfMonth: words[2] === '*' ? null : daysOfMonth,
    daysOfWeek: words[4] === '*' ? null : daysOfWeek,
    duration: length,
    zone: formatter,
  };
}

function parseField(word: string, [name, least, most]: (typeof fields)[number]): Set<number> | string {
  const set = new Set<number>();
  for (const part of word === '*' ? [`${least}-${most}`] : word.split(',')) {
    const found = /^(\d{1,2})(?:-(\d{1,2}))?$/.exec(part);
    if (!found) return `\`${word.slice(0, 40)}\` is no ${name}: numbers, ranges such as 1-5, lists and \`*\` are`;
    const from = Number(found[1]);
    const to = Number(found[2] ?? found[1]);
    if (from < least || to > most || from > to) return `a ${name} lies between ${least} and ${most}, not ${part}`;
    for (let value = from; value <= to; value++) set.add(value);
  }
  return set;
}

function parseDuration(text: string): number | string {
  if (!/^(?:\d{1,5}d)?(?:\d{1,5}h)?(?:\d{1,5}m)?$/.test(text) || text === '') {
    return 'expected whole days, hours and minutes, such as 8h, 90m or 1d12h';
  }
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)([dhm])/g)) total += Number(count) * (minutesOf[unit ?? ''] ?? 0);
  if (total === 0) return 'the duration is longer than zero';
  return total > maxDuration ? 'the duration is at most seven days' : total;
}

function findZone(zone: string): Intl.DateTimeFormat | undefined {
  if (!/^[A-Za-z]+(?:[/_+-][A-Za-z0-9]+)*$/.test(zone)) return undefined;
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  } catch {
    return undefined;
  }
}

const nanosecondsPerMinute = 60_000_000_000n;

/** Whether `now`, Unix nanoseconds, lies in a window. */
export function inCronSpan(span: CronSpan, now: bigint): boolean {
  const last = Number(now / nanosecondsPerMinute) - (now < 0n && now % nanosecondsPerMinute !== 0n ? 1 : 0);
  // Fires are whole minutes: one at `last - duration` has ended, even if `now` is later in its minute.
  const first = last - span.duration + 1;
  const change = offsetChange(span.zone, first, last);
  if (change === undefined) return firesBetween(span, first, last, offset(span.zone, last));
  return (
    firesBetween(span, change, last, offset(span.zone, last)) ||
    firesBetween(span, first, change - 1, offset(span.zone, first))
  );
}

/** Whether a minute of [first, last] (since 1970) matches at this offset. */
function firesBetween(span: CronSpan, first: number, last: number, offsetMinutes: number): boolean {
  const from = first + offsetMinutes;
  const to = last + offsetMinutes;
  for (let day = Math.floor(to / 1440); day * 1440 + 1439 >= from; day--) {
    if (!firesOn(span, new Date(day * 86_400_000))) continue;
    for (const hour of span.hours) {
      for (const minute of span.minutes) {
        const at = day * 1440 + hour * 60 + minute;
        if (at >= from && at <= to) return true;
      }
    }
  }
  return false;
}

function firesOn({ months, daysOfMonth, daysOfWeek }: CronSpan, day: Date): boolean {
  if (!months.has(day.getUTCMonth() + 1)) return false;
  const byMonth = daysOfMonth?.has(day.getUTCDate());
  const byWeek = daysOfWeek?.has(day.getUTCDay());
  if (byMonth === undefined || byWeek === undefined) return byMonth ?? byWeek ?? true;
  return byMonth || byWeek;
}

/** The first minute of [first, last] that has the offset of `last`; undefined where all have. A week has one change at most. */
function offsetChange(zone: Intl.DateTimeFormat, first: number, last: number): number | undefined {
  const after = offset(zone, last);
  if (offset(zone, first) === after) return undefined;
  let [low, high] = [first, last];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offset(zone, middle) === after) high = middle;
    else low = middle;
  }
  return high;
}

/** Minutes east of Greenwich. */
function offset(zone: Intl.DateTimeFormat, minute: number): number {
  const found = /GMT(?:([+-])(\d\d):(\d\d))?/.exec(zone.format(minute * 60_000));
  if (!found?.[1]) return 0;
  return (found[1] === '-' ? -1 : 1) * (Number(found[2]) * 60 + Number(found[3]));
}
