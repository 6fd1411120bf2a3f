import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nationalHolidays } from '../../domain/holidays.ts';

const datesOf = (year: number) => nationalHolidays(year).map(({ date }) => date);

const goodFridayOf = (year: number) =>
  nationalHolidays(year).find(({ name }) => name === 'Sexta-feira Santa')?.date;

describe('the national holidays of Brazil', () => {
  test('are those of the federal calendar of 2026, sorted by date', () => {
    expect(nationalHolidays(2026)).toEqual([
      { date: '2026-01-01', name: 'Confraternização Universal' },
      { date: '2026-04-03', name: 'Sexta-feira Santa' },
      { date: '2026-04-21', name: 'Tiradentes' },
      { date: '2026-05-01', name: 'Dia do Trabalho' },
      { date: '2026-09-07', name: 'Independência do Brasil' },
      { date: '2026-10-12', name: 'Nossa Senhora Aparecida' },
      { date: '2026-11-02', name: 'Finados' },
      { date: '2026-11-15', name: 'Proclamação da República' },
      { date: '2026-11-20', name: 'Dia Nacional de Zumbi e da Consciência Negra' },
      { date: '2026-12-25', name: 'Natal' },
    ]);
  });

  test('include 20 November since 2024', () => {
    expect(datesOf(2023)).not.toContain('2023-11-20');
    expect(datesOf(2024)).toContain('2024-11-20');
  });

  test('do not include carnival and Corpus Christi, which are optional', () => {
    expect(datesOf(2026)).not.toContain('2026-02-17');
    expect(datesOf(2026)).not.toContain('2026-06-04');
  });

  test.each(['2008-03-21', '2011-04-22', '2019-04-19', '2024-03-29', '2025-04-18', '2038-04-23'])(
    'have Good Friday on %s',
    (date) => {
      expect(goodFridayOf(Number(date.slice(0, 4)))).toBe(date);
    },
  );

  test('have Good Friday two days before the Sunday after the ecclesiastical full moon', () => {
    // Easter by the tables of the Gregorian calendar: epact, full moon, the following Sunday.
    const easterByTables = (year: number) => {
      const century = Math.floor(year / 100) + 1;
      const goldenNumber = (year % 19) + 1;
      const skippedLeapDays = Math.floor((3 * century) / 4) - 12;
      const moonShift = Math.floor((8 * century + 5) / 25) - 5;
      const raw = (11 * goldenNumber + 20 + moonShift - skippedLeapDays) % 30;
      const epact = (raw === 25 && goldenNumber > 11) || raw === 24 ? raw + 1 : raw;
      const fullMoon = 44 - epact < 21 ? 74 - epact : 44 - epact;
      const day = new Date(Date.UTC(year, 2, fullMoon));
      return Date.UTC(year, 2, fullMoon + 7 - day.getUTCDay());
    };
    fc.assert(
      fc.property(fc.integer({ min: 2003, max: 2400 }), (year) => {
        expect(goodFridayOf(year)).toBe(
          new Date(easterByTables(year) - 2 * 86_400_000).toISOString().slice(0, 10),
        );
      }),
      { numRuns: 300 },
    );
  });
});
