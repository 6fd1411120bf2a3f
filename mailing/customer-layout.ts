import { type ContactField, contactFields, type ExtraField } from '../domain/contact.ts';
import { layoutColumns, type Delimiter } from './layout.ts';

/** The layout of a customer file: the columns of a mailing without its message, plus those of customers only. */

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

/** The English names of the columns of customers only. */
export const customerAliases = {
  region: 'regiao',
  customer_type: 'tipo_cliente',
  consent: 'consentimento',
  consent_date: 'data_consentimento',
} as const satisfies Readonly<Record<string, (typeof customerExtraFields)[number]['name']>>;

export const customerColumns = (): string[] => layoutColumns(customerExtraFields, customerFields);

/** The same columns by their English names, which the import accepts too. */
export const englishCustomerColumns = (): string[] => [
  ...contactFields
    .filter(({ field }) => customerFields.some((one) => one === field))
    .map(({ names }) => names[1]),
  ...Object.keys(customerAliases),
];

/** Numbers with 90 after the DDD are not in use. */
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

/** The template file: the header and two lines to overwrite. Begins with a byte order mark, which Excel needs. */
export const customerLayoutExample = (delimiter: Delimiter = ';'): string =>
  `\ufeff${[customerColumns(), ...examples].map((cells) => `${cells.join(delimiter)}\r\n`).join('')}`;
