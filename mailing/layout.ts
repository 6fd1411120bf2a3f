import { contactFields, foldName, type ContactField, type ExtraField } from '../domain/contact.ts';
import { MailingRefused } from './refused.ts';

/**
 * The layout of a mailing's CSV file, the only one accepted: a header row with the seven columns of a contact and those
 * of the campaign's extra fields, each exactly once, in any order. It may also contain `problema` and columns without a
 * name, which are ignored. A column is required even if all its values are empty: a header with missing columns usually
 * means another file.
 */

export const delimiters = [';', ',', '\t', '|'] as const;
export type Delimiter = (typeof delimiters)[number];

/** The position of each value in a record. */
export interface Layout {
  width: number;
  fields: Readonly<Record<ContactField, number>>;
  /** In the order of the declared extra fields. */
  extra: readonly number[];
}

/** The problem of a line, in a file of lines to correct. Not a column of a contact: an upload ignores it. */
export const problemColumn = 'problema';

const allFields: readonly ContactField[] = contactFields.map(({ field }) => field);

/** The names of the header row in the layout's order. `fields`: the contact fields to include. */
export function layoutColumns(
  extraFields: readonly ExtraField[],
  fields: readonly ContactField[] = allFields,
): string[] {
  return [
    ...contactFields.filter(({ field }) => fields.includes(field)).map(({ names }) => names[0]),
    ...extraFields.map(({ name }) => name),
  ];
}

/** The delimiter of a header row: the most frequent one, because the layout's names contain none. */
export const delimiterOf = (header: string): Delimiter =>
  delimiters.toSorted((a, b) => header.split(b).length - header.split(a).length)[0] ?? ';';

/**
 * Parses the header row. Portuguese and English names mean the same column; ignores case, accents and surrounding
 * spaces. `aliases`: the English names of extra fields.
 *
 * @throws {MailingRefused} column_missing, column_unknown, column_repeated (the first of these that applies; the
 *   message lists all problems)
 */
export function readHeader(
  cells: readonly string[],
  extraFields: readonly ExtraField[],
  line: number,
  fields?: readonly ContactField[],
  aliases: Readonly<Record<string, string>> = {},
): Layout {
  const positions = new Map<string, number>();
  const unknown: string[] = [];
  const repeated: string[] = [];
  const columns = layoutColumns(extraFields, fields);
  cells.forEach((cell, position) => {
    const name = columnOf(cell, columns, aliases);
    // Spreadsheets leave empty columns at the end, and exports add an extra delimiter.
    if (name === undefined && (cell.trim() === '' || foldName(cell) === problemColumn)) return;
    if (name === undefined) unknown.push(cell.trim());
    else if (positions.has(name)) repeated.push(name);
    else positions.set(name, position);
  });
  const missing = columns.filter((name) => !positions.has(name));

  const code =
    missing.length > 0
      ? 'column_missing'
      : unknown.length > 0
        ? 'column_unknown'
        : repeated.length > 0
          ? 'column_repeated'
          : null;
  if (code !== null) {
    throw new MailingRefused(
      { code, params: { line, missing, unknown, repeated } },
      { expected: columns.join(';'), found: excerpt(cells.join(';')) },
    );
  }

  const position = (name: string): number => positions.get(name) ?? -1;
  return {
    width: cells.length,
    fields: {
      code: position('codigo'),
      name: position('nome'),
      mobile: position('celular'),
      phone: position('telefone'),
      phone2: position('telefone2'),
      birthDate: position('data_nascimento'),
      customMessage: position('mensagem'),
    },
    extra: extraFields.map(({ name }) => position(name)),
  };
}

/** The layout's name of a column; undefined if it is not in the layout. */
function columnOf(
  cell: string,
  columns: readonly string[],
  aliases: Readonly<Record<string, string>>,
): string | undefined {
  // Spreadsheets add commas where commas in other lines have created more columns.
  const name = foldName(cell.replace(/,+$/, ''));
  const portuguese =
    contactFields.find(({ names }) => names[1] === name)?.names[0] ??
    (Object.hasOwn(aliases, name) ? aliases[name] : undefined) ??
    name;
  return columns.includes(portuguese) ? portuguese : undefined;
}

function excerpt(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

/** Numbers with 90 after the DDD are not in use. */
const exampleContacts = [
  ['1001', 'Maria Exemplo', '(11) 90000-0001', '(11) 3000-0001', '', '25/12/1980', ''],
  ['1002', 'João Exemplo', '+55 21 90000-0002', '', '', '', 'Olá João, seu pedido chegou.'],
] as const;

const exampleValues = {
  text: ['Texto', 'Outro texto'],
  number: ['1234,56', '10'],
  money: ['1.234,56', '99,90'],
  date: ['31/12/2026', '01/02/2027'],
  boolean: ['sim', 'não'],
} as const satisfies Record<ExtraField['type'], readonly string[]>;

/**
 * The file of "Download do layout": the header and two lines to overwrite. It begins with a byte order mark, without
 * which Excel reads UTF-8 as Windows-1252.
 */
export function csvLayoutExample(extraFields: readonly ExtraField[], delimiter: Delimiter = ';'): string {
  const rows = [
    layoutColumns(extraFields),
    ...exampleContacts.map((contact, i) => [
      ...contact,
      ...extraFields.map(({ type }) => exampleValues[type][i] ?? ''),
    ]),
  ];
  return (
    '\ufeff' +
    rows.map((cells) => cells.map((cell) => quote(cell, delimiter)).join(delimiter) + '\r\n').join('')
  );
}

function quote(cell: string, delimiter: Delimiter): string {
  return cell.includes(delimiter) ? `"${cell}"` : cell;
}
