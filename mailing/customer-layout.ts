import type { ContactField, ExtraField } from '../domain/contact.ts';
import { layoutColumns, type Delimiter } from './layout.ts';

/** The layout of a file of customers: the columns of a mailing without its message, and those that only customers have. */

export const customerFields = [
  'code',
  'name',
  'mobile',
  'phone',
  'phone2',
  'birthDate',
] as const satisfies readonly ContactField[];

export const customerExtraFields = [
  { name: 'regiao', type: 'text', required: false },
  { name: 'tipo_cliente', type: 'text', required: false },
  { name: 'consentimento', type: 'text', required: false },
  { name: 'data_consentimento', type: 'date', required: false },
] as const satisfies readonly ExtraField[];

export const customerColumns = (): string[] => layoutColumns(customerExtraFields, customerFields);

/** No number with 90 behind the DDD is in use. */
const examples = [
  [
    '1001',
    'Maria Exemplo',
    '(11) 90000-0001',
    '(11) 3000-0001',
    '',
    '25/12/1980',
    '',
    '',
    'sim',
    '31/01/2026',
  ],
  ['1002', 'João Exemplo', '+55 21 90000-0002', '', '', '', '', '', 'não', ''],
] as const;

/** The file to fill in: the header and two lines to write over. Begins with a byte order mark, as Excel wants it. */
export const customerLayoutExample = (delimiter: Delimiter = ';'): string =>
  `\ufeff${[customerColumns(), ...examples].map((cells) => `${cells.join(delimiter)}\r\n`).join('')}`;
