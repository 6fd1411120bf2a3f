import { stringify } from 'csv-stringify/sync';

/**
 * CSV for Excel as it is set up in Brazil: semicolons, UTF-8 with a byte order mark; what a spreadsheet would take for a
 * formula has an apostrophe before it.
 */
export const csvLines = (rows: readonly (readonly (string | number)[])[]): string =>
  stringify([...rows], { delimiter: ';', record_delimiter: 'windows', escape_formulas: true });

/** The first line of a file. */
export const csvHeader = (names: readonly string[]): string => '\ufeff' + csvLines([names]);

/** Excel shows more than eleven digits as 5,51199E+12, but keeps them; with the + it would be a formula. */
export const csvPhone = (phone: string | null): string => phone?.replace('+', '') ?? '';
