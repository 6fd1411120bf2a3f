/** Reports: periods of days in the deployment's time zone, and what they are broken down by. */

/** What the rows of a report are. */
export const breakdowns = ['campaign', 'day', 'month', 'hour', 'region', 'customerType', 'provider'] as const;
export type Breakdown = (typeof breakdowns)[number];

/** Calendar days, `2026-11-01`, both included. */
export interface Period {
  from: string;
  to: string;
}

export const periodPresets = [
  'this_month',
  'last_month',
  'last_7',
  'last_30',
  'last_90',
  'this_year',
] as const;
export type PeriodPreset = (typeof periodPresets)[number];

const dayMs = 86_400_000;
const timeOf = (day: string): number => Date.parse(`${day}T00:00Z`);
const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);
const addDays = (day: string, days: number): string => dayOf(timeOf(day) + days * dayMs);
/** The first of the month that is `months` after the day's. */
function monthAfter(day: string, months: number): string {
  const [year = 0, month = 1] = day.split('-').map(Number);
  return dayOf(Date.UTC(year, month - 1 + months, 1));
}
const lastOfMonth = (day: string): string => addDays(monthAfter(day, 1), -1);
const isFirst = (day: string): boolean => day.endsWith('-01');

/** How many days a period has. */
export const daysIn = ({ from, to }: Period): number => (timeOf(to) - timeOf(from)) / dayMs + 1;

/** The period of a preset on the day `today`; it ends today, but for the last month. */
export function presetPeriod(preset: PeriodPreset, today: string): Period {
  switch (preset) {
    case 'this_month':
      return { from: monthAfter(today, 0), to: today };
    case 'last_month': {
      const from = monthAfter(today, -1);
      return { from, to: lastOfMonth(from) };
    }
    case 'this_year':
      return { from: `${today.slice(0, 4)}-01-01`, to: today };
    case 'last_7':
      return { from: addDays(today, -6), to: today };
    case 'last_30':
      return { from: addDays(today, -29), to: today };
    case 'last_90':
      return { from: addDays(today, -89), to: today };
  }
}

/**
 * The period to compare with. Of whole months: as many months before. Of the first days of a month: the same days of the
 * month before, to its end at most. Otherwise: as many days before.
 */
export function periodBefore({ from, to }: Period): Period {
  if (isFirst(from) && to === lastOfMonth(to)) {
    const months =
      (Number(to.slice(0, 4)) - Number(from.slice(0, 4))) * 12 +
      Number(to.slice(5, 7)) -
      Number(from.slice(5, 7)) +
      1;
    return { from: monthAfter(from, -months), to: addDays(from, -1) };
  }
  if (isFirst(from) && to.slice(0, 7) === from.slice(0, 7)) {
    const before = monthAfter(from, -1);
    const sameDay = addDays(before, daysIn({ from, to }) - 1);
    return { from: before, to: sameDay < from ? sameDay : addDays(from, -1) };
  }
  const days = daysIn({ from, to });
  return { from: addDays(from, -days), to: addDays(from, -1) };
}

/** The whole months inside a period, as the first of the first and the first after the last; null: none. */
export function wholeMonths({ from, to }: Period): { from: string; until: string } | null {
  const first = isFirst(from) ? from : monthAfter(from, 1);
  const until = monthAfter(addDays(to, 1), 0);
  return first < until ? { from: first, until } : null;
}

/** The steps of a period's chart: a bar for each hour, day or month. */
export function chartStep(period: Period): 'hour' | 'day' | 'month' {
  const days = daysIn(period);
  return days === 1 ? 'hour' : days <= 100 ? 'day' : 'month';
}

/** All hours, days or months of a period, in order, as the keys of a report's rows. */
export function chartKeys({ from, to }: Period): string[] {
  const step = chartStep({ from, to });
  if (step === 'hour') return Array.from({ length: 24 }, (_, hour) => String(hour));
  const keys: string[] = [];
  if (step === 'day') for (let day = from; day <= to; day = addDays(day, 1)) keys.push(day);
  else for (let month = monthAfter(from, 0); month <= to; month = monthAfter(month, 1)) keys.push(month);
  return keys;
}
