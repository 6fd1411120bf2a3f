import type { Contact, ExtraField } from '../../domain/contact.ts';
import { MailingRefused, readCsv, type CsvLimits } from '../../mailing/csv.ts';
import type { MailingRecord } from '../../mailing/record.ts';

/** The header of a mailing without extra fields. */
export const csvHeader = 'codigo;nome;celular;telefone;telefone2;data_nascimento;mensagem';
/** A CSV file with these lines under the header. */
export const csvFile = (...lines: string[]): string => [csvHeader, ...lines, ''].join('\n');
export const csvToday = '2026-11-29';

type File = string | Uint8Array | AsyncIterable<Uint8Array>;

interface Options {
  extraFields?: readonly ExtraField[];
  limits?: Partial<CsvLimits>;
  /** The bytes of each chunk; by default the file is one chunk. */
  chunk?: number;
}

export async function* chunksOf(file: File, size = Infinity): AsyncGenerator<Uint8Array> {
  if (typeof file !== 'string' && !(file instanceof Uint8Array)) {
    yield* file;
    return;
  }
  const bytes = typeof file === 'string' ? Buffer.from(file) : file;
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export async function readCsvFile(file: File, { extraFields = [], limits, chunk }: Options = {}) {
  const records: MailingRecord[] = [];
  for await (const batch of readCsv(chunksOf(file, chunk), {
    extraFields,
    today: csvToday,
    ...(limits && { limits }),
  })) {
    records.push(...batch);
  }
  return records;
}

export async function csvRefusal(file: File, options: Options = {}): Promise<MailingRefused> {
  const error: unknown = await readCsvFile(file, options).then(
    () => new Error('The file was not refused.'),
    (error: unknown) => error,
  );
  if (error instanceof MailingRefused) return error;
  throw error;
}

/** The line of each record with the name of its contact, or with the code of its problem. */
export const namesOrProblems = (records: MailingRecord[]) =>
  records.map((record) => [record.line, record.ok ? record.contact.name : record.problem.code]);

export const emptyContact: Contact = {
  code: '',
  name: '',
  mobile: '',
  phone: '',
  phone2: '',
  birthDate: '',
  customMessage: '',
  extra: {},
};
