import type { FormValues } from './form-data.ts';

/** Records of the API's documents, which forms show as rows of a name and a value. */

/** The rows of a list in which a field was filled in, by their paths. */
export const rowsWith = (form: FormValues, list: string, field: string): string[] =>
  form
    .rows(list)
    .map((index) => `${list}.${index}`)
    .filter((row) => form.text(`${row}.${field}`).trim() !== '');

/** The record that the rows make; a row without a name is none. */
export const recordOf = (form: FormValues, list: string): Record<string, string> =>
  Object.fromEntries(
    rowsWith(form, list, 'name').map((row) => [form.text(`${row}.name`).trim(), form.text(`${row}.value`)]),
  );

/** The rows that show a record. */
export const rowsOfRecord = (record: Readonly<Record<string, string>>): { name: string; value: string }[] =>
  Object.entries(record).map(([name, value]) => ({ name, value }));
