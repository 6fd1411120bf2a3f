import type { FormValues } from './form-data.ts';

/** Records of the API's documents, which forms show as rows of a name and a value. */

/** The rows of a list with a filled-in field, by their paths. */
export const rowsWith = (form: FormValues, list: string, field: string): string[] =>
  form
    .rows(list)
    .map((index) => `${list}.${index}`)
    .filter((row) => form.text(`${row}.${field}`).trim() !== '');

/** The record from the rows; rows without a name are omitted. */
export const recordOf = (form: FormValues, list: string): Record<string, string> =>
  Object.fromEntries(
    rowsWith(form, list, 'name').map((row) => [form.text(`${row}.name`).trim(), form.text(`${row}.value`)]),
  );

/** The rows for a record. */
export const rowsOfRecord = (record: Readonly<Record<string, string>>): { name: string; value: string }[] =>
  Object.entries(record).map(([name, value]) => ({ name, value }));
