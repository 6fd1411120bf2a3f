import type { Contact, LineProblem } from '../domain/contact.ts';

/**
 * One record of a mailing, whatever its source. `line` says where it is: the line of a CSV file where it begins, or the
 * place of an element in the answer of a web service, over all its pages; both counted from 1.
 */
export type MailingRecord =
  { line: number; ok: true; contact: Contact } | { line: number; ok: false; problem: LineProblem };

/** A mailing as it is read: batches of records, in order. Throws `MailingRefused` at any point; then none of it counts. */
export type MailingRecords = AsyncIterable<MailingRecord[]>;
