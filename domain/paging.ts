import { z } from 'zod';
import { attributePath } from './attribute-path.ts';

/** How the pages of a web service's answer follow one another, as a campaign sets it. */

/** A parameter of the address. */
const param = z.string().trim().min(1).max(100);
const start = z.int().min(0).max(1_000_000);

/**
 * Where the answer shows that there is another page: an attribute beside the records, as a dotted path, or a header as
 * `header:x-total-count`.
 */
const end = z.discriminatedUnion('shown', [
  z.strictObject({
    /** True or false, or how many pages or records there are. */
    shown: z.enum(['has_next', 'is_last', 'total_pages', 'total_records']),
    path: attributePath,
  }),
  /** Nowhere: a page without records is the end. */
  z.strictObject({ shown: z.literal('empty') }),
]);
export const pageEnds = ['has_next', 'is_last', 'total_pages', 'total_records', 'empty'] as const;

export const pagingKinds = ['links', 'page', 'offset', 'cursor', 'none'] as const;

export const paging = z.discriminatedUnion('by', [
  /** By the links of the answer (mailing/next-link.ts). An answer that shows more pages, and no link, is refused. */
  z.strictObject({ by: z.literal('links') }),
  /** By the number of the page. */
  z.strictObject({ by: z.literal('page'), param, first: start.default(1), end }),
  /** By how many records come before the page: as many as have been read, whatever size was asked for. */
  z.strictObject({
    by: z.literal('offset'),
    param,
    first: start.default(0),
    /** Sent with each page; null: the service has its own. */
    size: z
      .strictObject({ param, records: z.int().min(1).max(1_000_000) })
      .nullable()
      .default(null),
    end,
  }),
  /** By a value of the answer, until there is none. */
  z.strictObject({
    by: z.literal('cursor'),
    param,
    /** Sent with the first page; null: nothing is. */
    first: z.string().min(1).max(1000).nullable().default(null),
    path: attributePath,
  }),
  /** The first answer has all records, whatever it shows. */
  z.strictObject({ by: z.literal('none') }),
]);
export type Paging = z.infer<typeof paging>;
