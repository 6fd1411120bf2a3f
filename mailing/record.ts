import type { MailingRecord } from '../domain/line.ts';

export type { MailingRecord };

/** A mailing as batches of records, in order. Throws `MailingRefused` at any point; then none of it counts. */
export type MailingRecords = AsyncIterable<MailingRecord[]>;
