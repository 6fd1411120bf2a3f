/** A date on which the campaigns that observe it send nothing, and its name. */
export interface Holiday {
  /** `2026-12-25` */
  date: string;
  name: string;
}

interface YearlyHoliday {
  monthDay: string;
  name: string;
  /** The first year of the holiday. */
  since?: number;
}

/** Lei 662/1949 as amended by Lei 10.607/2002, Lei 6.802/1980 (12 October), Lei 14.759/2023 (20 November). */
const fixed: readonly YearlyHoliday[] = [
  { monthDay: '01-01', name: 'Confraternização Universal' },
  { monthDay: '04-21', name: 'Tiradentes' },
  { monthDay: '05-01', name: 'Dia do Trabalho' },
  { monthDay: '09-07', name: 'Independência do Brasil' },
  { monthDay: '10-12', name: 'Nossa Senhora Aparecida' },
  { monthDay: '11-02', name: 'Finados' },
  { monthDay: '11-15', name: 'Proclamação da República' },
  { monthDay: '11-20', name: 'Dia Nacional de Zumbi e da Consciência Negra', since: 2024 },
  { monthDay: '12-25', name: 'Natal' },
];

/**
 * The national holidays of Brazil in a year, by date.
 *
 * Includes Good Friday, as does the calendar that the federal government publishes each year, although Lei 9.093/1995
 * leaves it to the municipalities. Excludes Carnival and Corpus Christi, which are optional (pontos facultativos) or
 * holidays of a state or town; add them to the calendar where they are observed. Correct for the years from 2003 on,
 * when today's law took effect.
 *
 * @example nationalHolidays(2026)[1] //=> { date: '2026-04-03', name: 'Sexta-feira Santa' }
 */
export function nationalHolidays(year: number): Holiday[] {
  const holidays = fixed
    .filter(({ since }) => since === undefined || year >= since)
    .map(({ monthDay, name }) => ({ date: `${year}-${monthDay}`, name }));
  holidays.push({ date: goodFriday(year), name: 'Sexta-feira Santa' });
  return holidays.sort((a, b) => (a.date < b.date ? -1 : 1));
}

/** Two days before Easter Sunday, computed by the anonymous Gregorian algorithm (Meeus, Jones, Butcher). */
function goodFriday(year: number): string {
  const yearOfMoon = year % 19;
  const century = Math.floor(year / 100);
  const yearOfCentury = year % 100;
  const moonCorrection = Math.floor((8 * century + 13) / 25);
  const moonAge = (19 * yearOfMoon + century - Math.floor(century / 4) - moonCorrection + 15) % 30;
  const weekdayOffset =
    (32 + 2 * (century % 4) + 2 * Math.floor(yearOfCentury / 4) - moonAge - (yearOfCentury % 4)) % 7;
  const lateMoon = Math.floor((yearOfMoon + 11 * moonAge + 22 * weekdayOffset) / 451);
  const daysAfter22March = moonAge + weekdayOffset - 7 * lateMoon;
  return new Date(Date.UTC(year, 2, 22 + daysAfter22March - 2)).toISOString().slice(0, 10);
}
