import { z } from 'zod';
import { attributePath } from './attribute-path.ts';

/** How a campaign reads the further pages of a web service's answer. */

/** A parameter of the address. */
const param = z.string().trim().min(1).max(100);
const start = z.int().min(0).max(1_000_000);

/**
 * Where the answer shows that there is another page: an attribute beside the records, as a dotted path, or a header as
 * `header:x-total-count`.
 */
const end = z.discriminatedUnion('shown', [
  z.strictObject({
    /** A boolean, or the number of pages or records. */
    shown: z.enum(['has_next', 'is_last', 'total_pages', 'total_records']),
    path: attributePath,
  }),
  /** Nowhere: a page without records is the last. */
  z.strictObject({ shown: z.literal('empty') }),
]);
export const pageEnds = ['has_next', 'is_last', 'total_pages', 'total_records', 'empty'] as const;

export const pagingKinds = ['links', 'page', 'offset', 'cursor', 'last_record', 'none'] as const;

export const paging = z.discriminatedUnion('by', [
  /** By the links of the answer (mailing/next-link.ts). An answer that shows more pages but no link is refused. */
  z.strictObject({ by: z.literal('links') }),
  /** By page number. */
  z.strictObject({ by: z.literal('page'), param, first: start.default(1), end }),
  /** By offset: the number of records read so far, whatever size was requested. */
  z.strictObject({
    by: z.literal('offset'),
    param,
    first: start.default(0),
    /** Sent with each page; null: the service's default. */
    size: z
      .strictObject({ param, records: z.int().min(1).max(1_000_000) })
      .nullable()
      .default(null),
    end,
  }),
  /** By a value of the answer, until it is missing. */
  z.strictObject({
    by: z.literal('cursor'),
    param,
    /** Sent with the first page; null: none. */
    first: z.string().min(1).max(1000).nullable().default(null),
    path: attributePath,
  }),
  /** By an attribute of the last record received: Stripe's `starting_after`. */
  z.strictObject({ by: z.literal('last_record'), param, path: attributePath.default('id'), end }),
  /** The first answer has all records, whatever else it shows. */
  z.strictObject({ by: z.literal('none') }),
]);
export type Paging = z.infer<typeof paging>;
